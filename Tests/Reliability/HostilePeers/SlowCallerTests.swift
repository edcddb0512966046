import HTTPFetch
import SiteSupport
import TestSupport
import Testing

extension HostilePeers {
    /// Callers of the API that take their time.
    @Suite struct SlowCallerTests {
        @Test func `slow heads, slow bodies and readers that do not read are cut, and others are served`() async throws
        {
            try await Witness.watch(working: true, growth: 96 << 20) { ground, log in
                let (head, body) = (try await ground.caller(), try await ground.caller())
                head.offer(Array("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".utf8))
                body.offer(Array(ground.post("/api/v1/tokens", ["Content-Length: 1000"], body: "").utf8))
                var index = 0
                while index < 450, !(head.isClosed && body.isClosed) {
                    head.offer([UInt8(ascii: "a")])
                    body.offer([UInt8(ascii: " ")])
                    try await Task.sleep(for: .milliseconds(100))
                    index += 1
                    if index % 20 == 0 { #expect(try await ground.front.send("GET", "/healthz").status == 200) }
                }
                #expect(head.isClosed && body.isClosed)
                let answers = HTTPAnswer.all(in: body.seen.bytes)
                #expect(answers.first?.status == 408 && answers.first?.isProblem == true, "\(answers)")
            }
        }

        @Test func `listeners that never read hold nothing but their place`() async throws {
            try await Witness.watch(working: true, growth: 96 << 20) { ground, log in
                var listeners: [Peer] = []
                for _ in 0..<40 {
                    let listener = try await ground.caller()
                    try await listener.goDeaf()
                    listener.offer(Array(ground.get("/api/v1/events").utf8))
                    listeners.append(listener)
                }
                #expect(try await ground.front.send("GET", "/api/v1/nodes").status == 200)
                for listener in listeners { await listener.reset() }
            }
        }

        @Test func `a caller that never reads its answers is not answered for ever`() async throws {
            try await Witness.watch(growth: 96 << 20) { ground, log in
                let peer = try await ground.caller()
                try await peer.goDeaf()
                let request = Array(ground.get("/openapi.json").utf8)
                for _ in 0..<2000 { peer.offer(request) }
                try await Task.sleep(for: .seconds(3))
                let before = log.count(of: "path=/openapi.json")
                #expect(before < 1000, "\(before) answers for somebody who reads none")
                await peer.reset()
            }
        }
    }
}
