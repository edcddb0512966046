import FaultProxy
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct `The fault proxy` {
    private static let text = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    private func within(_ what: String, _ condition: @Sendable () async throws -> Bool) async throws {
        guard try await eventually(within: .seconds(30), condition) else { throw SetupFailure("\(what) did not come") }
    }

    /// A connection through the plan, on which both sides have sent everything.
    private func pipe(_ plan: FaultPlan, text: [UInt8] = text) async throws -> (Pipe, Peer, Peer) {
        let pipe = try await Pipe(plan)
        let client = try await pipe.dial()
        try await within("the server's end") { pipe.server() != nil }
        let server = try #require(pipe.server())
        client.send(text)
        server.send(text)
        return (pipe, client, server)
    }

    @Test func `without a plan everything passes, and each side's end after it`() async throws {
        let (pipe, client, server) = try await pipe(.none)
        client.finish()
        try await within("the end") { server.ending == .end && server.bytes == Self.text && client.bytes == Self.text }
        #expect(client.ending == nil)
        server.close()
        try await within("the other end") { client.ending == .end }
        await pipe.stop()
    }

    @Test func `bytes that go one by one, late, or after a pause all arrive`() async throws {
        let kinds: [Fault.Kind] = [
            .split(bytes: 300), .delay(milliseconds: 20, pieces: 3), .stall(milliseconds: 100),
        ]
        for kind in kinds {
            for direction in Direction.allCases {
                let (pipe, client, server) = try await pipe(.listed([Fault(kind, direction, at: 1000)]))
                try await within("\(kind)") { client.bytes == Self.text && server.bytes == Self.text }
                #expect(await pipe.proxy.strikes.map(\.fault.kind) == [kind])
                let pieces = direction == .up ? server.pieces : client.pieces
                if case .split = kind { #expect(pieces.count > 20) }
                await pipe.stop()
            }
        }
    }

    @Test(arguments: Direction.allCases)
    func `a stalled direction holds the sender and not the other direction`(direction: Direction) async throws {
        let long = Array(repeating: UInt8(7), count: 2 << 20)
        let pipe = try await Pipe(.listed([Fault(.stall(milliseconds: 5000), direction, at: 10)]))
        let client = try await pipe.dial()
        try await within("the server's end") { pipe.server() != nil }
        let server = try #require(pipe.server())
        let (sender, other) = direction == .up ? (client, server) : (server, client)
        sender.send(long)
        other.send([1, 2, 3])
        try await within("the other direction") { sender.bytes == [1, 2, 3] && other.count >= 10 }
        #expect(other.count == 10)
        try await within("all of it") { other.count == long.count }
        await pipe.stop()
    }

    @Test func `a reset is a reset for both, at its byte`() async throws {
        let (pipe, client, server) = try await pipe(.listed([Fault(.reset, .up, at: 1234)]))
        try await within("the reset") { client.ending != nil && server.ending == .reset }
        // What the kernel had not handed over goes with a reset.
        #expect(server.bytes.count <= 1234 && server.bytes[...] == Self.text.prefix(server.bytes.count))
        await pipe.stop()
    }

    @Test func `a half-closed direction ends, the other goes on`() async throws {
        let (pipe, client, server) = try await pipe(.listed([Fault(.halfClose, .up, at: 100)]))
        try await within("the end") { server.ending == .end && client.bytes == Self.text }
        #expect(server.bytes[...] == Self.text.prefix(100))
        server.send([9])
        try await within("the other direction") { client.bytes.count == Self.text.count + 1 }
        await pipe.stop()
    }

    /// Ten records of TLS, 105 bytes each.
    private static let records: [UInt8] = Array(
        repeatElement([23, 3, 3, 0, 100] + [UInt8](repeating: 9, count: 100), count: 10).joined())
    @Test(arguments: [
        (true, 250, 250), (true, 210, 211), (true, 0, 1), (false, 250, 315), (false, 210, 210), (false, 207, 210),
        (false, 107, 210),
    ])
    func `a stream is cut inside a record or between two`(inside: Bool, byte: Int, rest: Int) async throws {
        let plan = FaultPlan.listed([Fault(.truncate(insideRecord: inside), .up, at: byte)])
        let (pipe, client, server) = try await pipe(plan, text: Self.records)
        try await within("the end") { server.ending == .end && client.ending == .end }
        #expect(server.bytes.count == rest)
        await pipe.stop()
    }

    @Test func `one bit turns over`() async throws {
        let (pipe, client, server) = try await pipe(.listed([Fault(.flip, .down, at: 500)]))
        try await within("everything") { client.count == Self.text.count && server.bytes == Self.text }
        let differences = zip(client.bytes, Self.text).enumerated().filter { $0.element.0 != $0.element.1 }
        #expect(differences.map(\.offset) == [500])
        await pipe.stop()
    }

    @Test func `a hole swallows new connections too, and ends with a reset`() async throws {
        let (pipe, client, server) = try await pipe(.listed([Fault(.hole(milliseconds: 800), .up, at: 100)]))
        try await within("the fault") { await !pipe.proxy.strikes.isEmpty }
        let second = try await pipe.dial()
        second.send([1])
        server.send([2])
        try await within("the end of the hole") { client.ending != nil && second.ending != nil }
        #expect(server.bytes.count == 100 && pipe.server(1) == nil)
        let third = try await pipe.dial()
        third.send([3])
        try await within("the next one") { pipe.server(1)?.bytes == [3] }
        await pipe.stop()
    }

    @Test func `a connection that expires is reset, and a storm resets them all`() async throws {
        let (pipe, client, _) = try await pipe(.listed([Fault(.expire(milliseconds: 50))]))
        try await within("the reset") { client.ending != nil }
        let more = [try await pipe.dial(), try await pipe.dial()]
        try await within("their servers") { pipe.server(2) != nil }
        try await pipe.proxy.storm(every: .milliseconds(10), times: 2)
        try await within("the storm") { more.allSatisfy { $0.ending != nil } }
        await pipe.stop()
    }
}
