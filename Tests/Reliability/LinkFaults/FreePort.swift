import NIOCore
import NIOPosix
import TestSupport

/// A port of the loopback that nobody listens on, and that the kernel gives to no connection meanwhile: a controller comes
/// back to it while other tests connect by the thousand.
enum FreePort {
    static func find() async throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 10_000..<30_000)
            let channel = try? await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: port).get()
            guard let channel else { continue }
            try await channel.close().get()
            return port
        }
        throw SetupFailure("no free port")
    }
}
