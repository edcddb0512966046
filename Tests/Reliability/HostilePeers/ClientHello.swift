import NIOCore
import NIOEmbedded
import TestSupport
import Transport

/// The first record of a handshake, as an agent sends it.
enum ClientHello {
    static func bytes(speaking name: String, trusting authority: Certificate) throws -> [UInt8] {
        let context = try TLSContext(
            client: TLSClientConfiguration(
                trust: .authorities([authority]), serverName: "localhost", protocols: [name]))
        let channel = EmbeddedChannel(handler: TLSHandler(context: context))
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 7443), promise: nil)
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        guard let hello = try channel.readOutbound(as: ByteBuffer.self) else { throw SetupFailure("no ClientHello") }
        return Array(hello.readableBytesView)
    }
}
