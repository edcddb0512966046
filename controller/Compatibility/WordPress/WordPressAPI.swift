import APIModels
package import ControllerCore
package import HTTP
import HTTPTypes

/// The API that WordPress sites were ordered by before this controller was: its paths, bodies and answers, on the same core.
/// docs/compatibility/wordpress.md has them all.
package struct WordPressAPI: Sendable {
    let operations: Operations
    let history: ChangeHistory
    let settings: Settings

    package struct Settings: Sendable, Hashable {
        /// How long a request waits for the work that it has asked for; then it is answered with 202.
        package var patience: Duration = .seconds(600)

        package init() {}
    }

    /// Below it on listeners of the whole API.
    package static let prefix = "/compat/wordpress"
    /// Of the services' external ids: another panel may count alike.
    static let source = "wordpress"
    /// Whose services these are.
    static let product = "wordpress"

    package init(operations: Operations, history: ChangeHistory, settings: Settings = Settings()) {
        (self.operations, self.history, self.settings) = (operations, history, settings)
    }

    /// - Parameters:
    ///   - prefix: before each path.
    ///   - authenticator: tells who asks.
    package func list(below prefix: String = "", authenticator: Authenticator) -> EndpointList {
        EndpointList(
            endpoints(below: prefix), below: prefix, authenticator: authenticator, errors: CompatibleErrors.shape)
    }

    package func endpoints(below prefix: String = "") -> [Endpoint] {
        let front = Paths(prefix: prefix)
        return sites(front) + domains(front) + actions(front) + upgrades(front) + support(front)
    }

    /// What the caller may see.
    func queries(_ call: APICall) -> Queries {
        Queries(
            operations,
            for: Viewer(actor: call.caller.actor, scopes: call.caller.scopes, customer: call.caller.customer))
    }
}

/// Where the endpoints of a listener are.
struct Paths: Sendable {
    let prefix: String

    func callAsFunction(_ path: String) -> String { prefix + path }

    /// Where a site can be looked at again.
    func status(_ number: String) -> String { "\(prefix)/status?service_id=\(number)" }
}

extension APICall {
    /// Who asks, as the core wants to know it.
    var requester: Requester {
        Requester(
            name: caller.actor, remote: caller.remote, idempotencyKey: idempotencyKey, customer: caller.customer)
    }
}

extension Authenticator {
    /// Lets everybody in who can reach the loopback of this machine, but no page that a browser on it has loaded from elsewhere: those
    /// say where they are from, or ask for another host.
    package static let open = Authenticator { fields, remote in
        let host = (fields[.addressedHost] ?? "").lowercased()
        let name = host.hasPrefix("[") ? host.dropFirst().prefix { $0 != "]" } : host.prefix { $0 != ":" }
        guard name == "localhost" || Listener.isLoopback(String(name)), fields[.origin] == nil else {
            throw Denied("without a key, only programs of this machine are answered, by its loopback address")
        }
        return Caller(key: "open-listener", name: "open listener", scopes: [.read, .services], remote: remote)
    }
}
