import NIOCore
import Store
import TestSupport
import Testing

@testable import API
@testable import HTTP

/// HTTP/2 from peers that mean no good.
@Suite struct HTTP2AttackTests {
    @Test func `who makes requests only to take them back is sent away`() async throws {
        try await OpenHouse.with { open in
            try await WirePeer.with(open) { peer in
                Task {
                    for stream in stride(from: UInt32(1), to: 2001, by: 2) {
                        await peer.send(.head(stream), Frame(.reset, stream: stream, payload: Frame.four(8)))
                    }
                }
                #expect(await peer.farewell() == Frame.enhanceYourCalm)
            }
            #expect(await open.isAnswering())
        }
    }

    @Test(arguments: [
        Frame(.ping, payload: [UInt8](repeating: 0, count: 8)), Frame(.settings),
        Frame(Frame.Kind(rawValue: 2), stream: 1, payload: [0, 0, 0, 0, 1]),
    ])
    func `who sends frames that ask for nothing is sent away`(frame: Frame) async throws {
        try await OpenHouse.with { open in
            try await WirePeer.with(open) { peer in
                Task { for _ in 1...1000 { await peer.send(frame) } }
                #expect(await peer.farewell() == Frame.enhanceYourCalm)
            }
            #expect(await open.isAnswering())
        }
    }

    @Test func `a head that grows without end, or unpacks to a huge one, ends the connection`() async throws {
        try await OpenHouse.with { open in
            try await WirePeer.with(open) { endless in
                var head = Frame.head(1)
                head.flags = Frame.endStream
                let more = Frame(
                    .continuation, stream: 1,
                    payload: (1...100).flatMap { Frame.field("x-\($0)", String(repeating: "a", count: 100)) })
                await endless.send(head)
                Task { for _ in 1...100 { await endless.send(more) } }
                #expect(await endless.farewell() != nil)
            }

            // One field of 4,000 bytes goes into the table, and then each byte of the head stands for it.
            try await WirePeer.with(open) { packed in
                var bomb = Frame.head(1)
                let field = Frame.field("x", String(repeating: "a", count: 4000))
                bomb.payload += [0x40] + field.dropFirst() + [UInt8](repeating: 0x80 | 62, count: 10_000)
                await packed.send(bomb)
                #expect(await packed.farewell() != nil)
            }
            #expect(await open.isAnswering())
        }
    }

    @Test func `more streams than were offered are not served`() async throws {
        try await OpenHouse.with { open in
            try await WirePeer.with(open) { peer in
                let offered = UInt32(HTTP2Channel.concurrentStreams)
                // Their bodies never come.
                for number in 0...offered {
                    await peer.send(.head(1 + 2 * number, "POST", "/api/v1/tokens", ends: false, fields: open.key))
                }
                let refused = await peer.next {
                    $0.kind == .farewell || ($0.kind == .reset && $0.stream == 1 + 2 * offered)
                }
                #expect(refused != nil)
            }
            #expect(await open.isAnswering())
        }
    }

    @Test func `a request for two hosts, or for none, is refused, and the next on the connection is not`() async throws
    {
        try await OpenHouse.with { open in
            try await WirePeer.with(open) { peer in
                await peer.send(.head(1, fields: [("host", "elsewhere")]))
                try await peer.expect("400", on: 1)
                await peer.send(.head(3, authority: nil))
                try await peer.expect("400", on: 3)
                // This the library finds out by itself.
                await peer.send(.head(5, authority: "a b"))
                try await peer.expect(nil, on: 5)
                await peer.send(.head(7, fields: (1...101).map { ("x-\($0)", "") }))
                try await peer.expect("400", on: 7)
                await peer.send(.head(9, authority: nil, fields: [("host", "localhost")]))
                try await peer.expect("200", on: 9)
            }
        }
    }

    @Test func `a request that is taken back in the middle of its body is not carried out`() async throws {
        try await OpenHouse.with { open in
            try await WirePeer.with(open) { peer in
                let type = ("content-type", "application/json")
                await peer.send(
                    .head(1, "POST", "/api/v1/tokens", ends: false, fields: open.key + [type]),
                    Frame(.data, stream: 1, payload: Array("{}".utf8)),
                    Frame(.reset, stream: 1, payload: Frame.four(8)))
                let counted = await eventually { !open.counted("POST", "/api/v1/tokens").isEmpty }
                #expect(counted && open.counted("POST", "/api/v1/tokens").allSatisfy { $0.status == 400 })
                let tokens = try await open.house.store.tokens().items
                #expect(tokens.isEmpty)
                await peer.send(.head(3))
                try await peer.expect("200", on: 3)
            }
        }
    }

    @Test func `an answer that is given before the body ends the request`() async throws {
        try await OpenHouse.with { open in
            try await WirePeer.with(open) { peer in
                await peer.send(.head(1, "POST", "/api/v1/tokens", ends: false))
                try await peer.expect("401", on: 1)
                #expect(await peer.next { $0.kind == .reset && $0.stream == 1 }?.code == 0)
            }
        }
    }

    @Test func `answers that are not taken hold their places, and no more of them are made`() async throws {
        try await OpenHouse.with({ $0.http.callers.requestsPerCaller = 2 }) { open in
            try await WirePeer.with(open, window: 0) { peer in
                for stream: UInt32 in [1, 3] {
                    await peer.send(.head(stream, "GET", "/api/v1/nodes", fields: open.key))
                    try await peer.expect("200", on: stream)
                }
                await peer.send(.head(5, "GET", "/api/v1/nodes", fields: open.key))
                try await peer.expect("429", on: 5)
                for stream: UInt32 in [1, 3, 5] {
                    await peer.send(Frame(.windowUpdate, stream: stream, payload: Frame.four(10_000)))
                }
                for _ in 1...3 { #expect(await peer.next { $0.kind == .data && $0.flags == Frame.endStream } != nil) }
                await peer.send(.head(7, "GET", "/api/v1/nodes", fields: open.key))
                try await peer.expect("200", on: 7)
            }
        }
    }

    @Test func `streams of strangers are counted, until somebody shows a key`() async throws {
        try await OpenHouse.with { open in
            try await WirePeer.with(open, window: 0) { peer in
                await peer.send(.head(1), .head(3))
                try await peer.expect("200", on: 3)
                #expect(open.server.pipeline.strangers.held == 2)
                await peer.send(Frame(.reset, stream: 1, payload: Frame.four(8)))
                #expect(await eventually { open.server.pipeline.strangers.held == 1 })
                await peer.send(.head(5, "GET", "/api/v1/nodes", fields: open.key))
                try await peer.expect("200", on: 5)
                await peer.send(.head(7))
                try await peer.expect("200", on: 7)
                // That of the first request with a key was not known yet.
                #expect(open.server.pipeline.strangers.held == 2)
                try await peer.channel.close()
                #expect(await eventually { open.server.pipeline.strangers.held == 0 })
            }
        }
    }

    @Test func `strangers' streams have their share, of all and of one address`() async throws {
        try await OpenHouse.with({ $0.http.maximumConnections = 4 }) { open in
            try await WirePeer.with(open, window: 0) { peer in
                for stream: UInt32 in [1, 3, 5, 7] {
                    await peer.send(.head(stream))
                    try await peer.expect("200", on: stream)
                }
                await peer.send(.head(9))
                #expect(await peer.next { $0.kind == .reset && $0.stream == 9 } != nil)
            }
        }
    }

    @Test func `a connection on which nothing happens is ended, also where its peer takes no notice`() async throws {
        try await OpenHouse.with({ $0.http.idleTimeout = .milliseconds(300) }) { open in
            try await WirePeer.with(open) { peer in
                await peer.send(.head(1, "GET", "/api/v1/nodes", fields: open.key))
                try await peer.expect("200", on: 1)
                #expect(await peer.farewell() == 0)
                #expect(await peer.next { _ in false } == nil)
            }
        }
    }

    @Test func `a reader who is gone does not keep his event stream`() async throws {
        try await OpenHouse.with { open in
            try await WirePeer.with(open) { peer in
                await peer.send(.head(1, "GET", "/api/v1/events", fields: open.key))
                try await peer.expect("200", on: 1)
                #expect(await eventually { open.server.listeners == 1 })
                await peer.send(Frame(.reset, stream: 1, payload: Frame.four(8)))
                #expect(await eventually { open.server.listeners == 0 })
            }
        }
    }
}

extension WirePeer {
    /// The status of the answer on a stream; nil for none.
    func expect(_ status: String?, on stream: UInt32, at place: SourceLocation = #_sourceLocation) async throws {
        let given = try await self.status(of: stream)
        #expect(given == status, sourceLocation: place)
    }

    /// Why the server has ended the connection; nil where it said nothing.
    func farewell() async -> UInt8? {
        await next { $0.kind == .farewell }?.code
    }
}

extension OpenHouse {
    /// The administrator's, as a field.
    fileprivate var key: [(String, String)] { [("authorization", "Bearer \(house.admin)")] }
}
