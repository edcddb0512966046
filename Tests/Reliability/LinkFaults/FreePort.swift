import NIOCore
import NIOPosix
import TestSupport

/// A port of the loopback that nobody listens on.
enum FreePort {
    static func find() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = channel.localAddress?.port else { throw SetupFailure("no free port") }
        try await channel.close().get()
        return port
    }
}
