import AgentCore
import DaemonKit
import NIOCore
import NIOPosix

/// Whether the controller's port takes connections. Nothing is sent: a session of this node may be open.
enum ControllerRemark {
    private static let patience = TimeAmount.seconds(5)

    static func reach(_ address: String) async -> Remark {
        do {
            let place = try HostPort(address)
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(patience).connect(host: place.host, port: place.port).get()
            try? await channel.close()
            return .good("controller", "\(address) takes connections")
        } catch {
            return .wrong(
                "controller", "\(address) cannot be reached: \(reason(error))",
                advice: "see that the controller runs, that the name resolves here, and that firewalls let port "
                    + "\(address.split(separator: ":").last ?? "") through")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first { "\(failure.error)" } else { "its name does not resolve" }
        case ChannelError.connectTimeout: "no answer within five seconds"
        default: "\(error)"
        }
    }
}
