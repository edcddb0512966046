import NIOCore
import NIOPosix
import Testing

@testable import Transport

/// What people read when there is no connection.
@Suite struct ConnectionReasonTests {
    private let group = MultiThreadedEventLoopGroup.singleton

    @Test func `a refused connection, a name that is none and a long silence are told in words`() async throws {
        let taken = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(taken.localAddress?.port)
        try await taken.close()
        let refused = await #expect(throws: (any Error).self) {
            _ = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port).get()
        }
        #expect(ConnectionReason.text(try #require(refused)) == "Connection refused")
        let nobody = await #expect(throws: (any Error).self) {
            _ = try await ClientBootstrap(group: group).connect(host: "nobody.invalid", port: 1).get()
        }
        #expect(ConnectionReason.text(try #require(nobody)) == "the name nobody.invalid cannot be resolved")
        #expect(ConnectionReason.text(ChannelError.connectTimeout(.seconds(10))) == "no answer within 10 s")
    }

    @Test func `a port that is taken is named`() async throws {
        let taken = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(taken.localAddress?.port)
        let error = try #require(
            await #expect(throws: (any Error).self) {
                _ = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: port).get()
            })
        let text = ListenError("the API", host: "127.0.0.1", port: port, error).description
        #expect(text.hasPrefix("the API cannot listen at 127.0.0.1:\(port): Address already in use; another process"))
        try await taken.close()
    }
}
