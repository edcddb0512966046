import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension HostilePeers {
    /// Bytes that are not the lines they should be.
    @Suite struct LineTests {
        private static let limit = ProtocolVersion.maximumLineBytes

        /// A heartbeat of exactly so many bytes, without its newline.
        private static func heartbeat(_ bytes: Int) -> [UInt8] {
            let head = Array(#"{"type":"heartbeat","seq":7,"time":1,"fill":""#.utf8)
            return head + Array(repeating: UInt8(ascii: "a"), count: bytes - head.count - 2) + Array(#""}"#.utf8)
        }

        private static func beat(_ more: String) -> [UInt8] {
            Array(#"{"type":"heartbeat","seq":1,"time":1,\#(more)}"#.utf8)
        }

        private static func raw(_ bytes: UInt8...) -> [UInt8] {
            Array(#"{"type":"heartbeat","seq":1,"time":1,"x":""#.utf8) + bytes + Array(#""}"#.utf8)
        }

        static let lines: [(name: String, line: [UInt8])] = [
            ("one byte too long", heartbeat(limit + 1)), ("empty", []), ("a blank", [0x20]),
            ("an array", Array("[]".utf8)),
            ("null", Array("null".utf8)), ("no type", Array("{}".utf8)), ("HTTP", Array("GET / HTTP/1.1\r".utf8)),
            ("two objects", beat(#""a":1"#) + beat(#""a":1"#)),
            ("deep arrays", Array(repeating: UInt8(ascii: "["), count: 200_000)),
            ("deep objects", Array(String(repeating: #"{"a":"#, count: 100_000).utf8)),
            ("33 levels", beat("\"x\":" + String(repeating: "[", count: 32) + String(repeating: "]", count: 32))),
            ("too many values", beat("\"x\":[" + String(repeating: "0,", count: 100_000) + "0]")),
            ("a key twice", beat(#""seq":2"#)), ("a key twice, escaped", beat(#""\u0073eq":2"#)),
            ("a raw NUL", raw(0)), ("a NUL between", [0] + beat(#""a":1"#)), ("a control character", raw(0x1B)),
            ("overlong UTF-8", raw(0xC0, 0x80)), ("a surrogate in UTF-8", raw(0xED, 0xA0, 0x80)),
            ("beyond Unicode", raw(0xF4, 0x90, 0x80, 0x80)), ("half a character", raw(0xE2, 0x82)),
            ("a lone continuation", raw(0x80)), ("a lone surrogate", beat(#""x":"\ud800""#)),
            ("surrogates the wrong way round", beat(#""x":"\udc00\ud800""#)),
            ("an unknown escape", beat(#""x":"\x41""#)),
            ("beyond a double", beat(#""x":1e400"#)),
            ("a number of 500 digits", beat("\"x\":" + String(repeating: "9", count: 500))),
            ("beyond 64 bits", Array(#"{"type":"heartbeat","seq":9223372036854775808,"time":1}"#.utf8)),
            ("a negative seq", Array(#"{"type":"heartbeat","seq":-1,"time":1}"#.utf8)),
            ("a fraction", Array(#"{"type":"heartbeat","seq":1.5,"time":1}"#.utf8)),
            ("a text for a number", Array(#"{"type":"heartbeat","seq":"1","time":1}"#.utf8)),
            ("not a number", beat(#""x":NaN"#)), ("a leading zero", beat(#""x":01"#)),
        ]

        @Test func `a line that is none ends the session, and the goodbye says what was wrong`() async throws {
            try await Witness.watch { ground, log in
                let node = try await ground.newNode()
                for (name, line) in Self.lines {
                    let agent = try await HostileAgent.dial(ground, as: node)
                    try await agent.greet()
                    agent.peer.offer(line + [0x0A])
                    let goodbye = await agent.peer.goodbye()
                    #expect(
                        goodbye?.code == .malformed && goodbye?.message.isEmpty == false,
                        "\(name): \(agent.peer.seen.errors)")
                }
                #expect(log.count(of: "link refused", node) == Self.lines.count)
            }
        }

        @Test func `a line of exactly the longest length is taken`() async throws {
            try await Witness.watch { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                try await agent.peer.send(Self.heartbeat(Self.limit) + [0x0A])
                try await agent.expectAlive()
                await agent.peer.close()
            }
        }

        @Test func `a line that never ends is cut at the limit`() async throws {
            try await Witness.watch(growth: 32 << 20) { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
                for _ in 0..<64 where !agent.peer.isClosed { agent.peer.offer(piece) }
                await agent.expectGoodbye(.malformed, "longer than")
            }
        }

        @Test func `a session written byte by byte is a session`() async throws {
            try await Witness.watch { ground, log in
                let agent = try await HostileAgent.dial(ground, as: ground.newNode())
                var hello = HostileAgent.hello(agent.node)
                // Characters of two to four bytes, each cut in pieces.
                hello.hostname = "hôte-€-😀"
                for byte in AgentMessage.hello(hello).line() { try await agent.peer.send([byte]) }
                try await agent.expectWelcome()
                try await agent.expectAlive()
                await agent.peer.close()
            }
        }

        @Test func `what comes behind the line that ended a session is not even logged`() async throws {
            try await Witness.watch { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                agent.peer.offer(Array(String(repeating: "nonsense\n", count: 20_000).utf8))
                await agent.expectGoodbye(.malformed)
                #expect(log.count(of: agent.node, "link refused") == 1)
                #expect(log.lines.filter { $0.contains(agent.node) }.count < 20)
            }
        }

        @Test func `texts of a peer cannot write lines of the log, nor fill it`() async throws {
            try await Witness.watch { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                let forged = #"\u2028time=2026-01-01 level=error msg=forged"#
                for index in 0..<2000 {
                    agent.peer.offer(Array("{\"type\":\"\(index)\(forged)\"}\n".utf8))
                }
                try await agent.expectAlive()
                agent.peer.offer(
                    Array(
                        "{\"type\":\"goodbye\",\"code\":\"x\(forged)\",\"message\":\"\(forged)\",\"retry\":true}\n".utf8
                    ))
                _ = await agent.peer.isLeft()
                #expect(log.count(of: "unknown message ignored", agent.node) <= 8)
                #expect(!log.lines.contains { $0.hasPrefix("time=2026-01-01") })
            }
        }
    }
}
