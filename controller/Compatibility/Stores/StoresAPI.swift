import APIModels
package import ControllerCore
package import HTTP
import WireProtocol

/// The API that shops on Kubernetes were ordered by before this controller was: its paths, bodies and answers, on the same core.
/// docs/compatibility/stores.md has them all.
package struct StoresAPI: Sendable {
    let operations: Operations
    let history: ChangeHistory
    let settings: Settings

    package struct Settings: Sendable, Hashable {
        /// How long a removal waits until all is seen gone; then it is answered with 202.
        package var patience: Duration = .seconds(120)
        /// The plan of each engine.
        package var plans = ["woocommerce": "store-woocommerce", "medusa": "store-medusa"]
        /// Whose shops are that nobody says an owner of.
        package var customer = "stores"

        package init() {}
    }

    /// Below it on listeners of the whole API.
    package static let prefix = "/compat/stores"
    /// Of the services' external ids: another panel may count alike.
    static let source = "stores"
    /// Whose services these are.
    static let product = "store"

    package init(operations: Operations, history: ChangeHistory, settings: Settings = Settings()) {
        (self.operations, self.history, self.settings) = (operations, history, settings)
    }

    /// - Parameters:
    ///   - prefix: before each path.
    ///   - authenticator: tells who asks.
    package func list(below prefix: String = "", authenticator: Authenticator) -> EndpointList {
        EndpointList(endpoints(below: prefix), below: prefix, authenticator: authenticator, errors: StoreErrors.shape)
    }

    /// All paths are there twice: with the prefix that the old documentation has, and as its examples have them.
    package func endpoints(below prefix: String = "") -> [Endpoint] {
        ["/api/v1", ""].flatMap { stores("\(prefix)\($0)") + health("\(prefix)\($0)") }
    }

    /// What the caller may see.
    func queries(_ call: APICall) -> Queries {
        Queries(
            operations,
            for: Viewer(actor: call.caller.actor, scopes: call.caller.scopes, customer: call.caller.customer))
    }

    /// What there is, for finding out whose a name is; nothing of it is told.
    func books(_ call: APICall) -> Queries {
        Queries(operations, for: Viewer(actor: call.caller.actor, scopes: call.caller.scopes, customer: nil))
    }
}

/// Errors as this API tells them: `{"error": "…"}`.
enum StoreErrors {
    static let shape = ErrorShape(
        { error in
            guard case CoreError.invalid(let field, let problem) = error else { return Problem(core: error) }
            let own = field.split(separator: ".").last.map(String.init) ?? field
            return Problem(.invalidField, "\(own) \(problem)", field: own)
        },
        body: { problem in (JSONValue.object(["error": .string(problem.detail)]).encoded, "application/json") })
}

extension APICall {
    /// Who asks, as the core wants to know it.
    var requester: Requester {
        Requester(
            name: caller.actor, remote: caller.remote, idempotencyKey: idempotencyKey, customer: caller.customer)
    }
}
