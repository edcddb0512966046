package import WireProtocol

/// One order to a driver.
package struct OperationCall: Sendable, Hashable {
    /// Name within the driver: `dataset.ensure`.
    package let operation: String
    /// The resource whose lane the call runs in: `zfs/tank/innkeeper/svc`.
    package let resource: String
    package let arguments: JSONObject
    /// Arguments that may reach the child process or the engine but no log, receipt, result or command line.
    package let secrets: JSONObject

    package init(
        operation: String, resource: String, arguments: JSONObject = [:], secrets: JSONObject = [:]
    ) {
        self.operation = operation
        self.resource = resource
        self.arguments = arguments
        self.secrets = secrets
    }
}

/// What an operation left behind.
package struct OperationOutcome: Sendable, Hashable {
    /// Whether anything is different from before; already so and gone already are `false`.
    package let changed: Bool
    /// What the driver saw when it looked again afterwards.
    package let observed: JSONObject

    package init(changed: Bool, observed: JSONObject = [:]) {
        self.changed = changed
        self.observed = observed
    }
}

/// A command that did not succeed, as far as the agent knows.
package struct AbandonedCommand: Sendable, Hashable {
    package let id: String
    /// Name within the driver.
    package let operation: String
    package let resource: String

    package init(id: String, operation: String, resource: String) {
        self.id = id
        self.operation = operation
        self.resource = resource
    }
}
