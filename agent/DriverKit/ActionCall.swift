package import WireProtocol

/// One order to a driver.
package struct ActionCall: Sendable, Hashable {
    /// Name within the driver: `dataset.ensure`.
    package let action: String
    /// The resource whose lane the call runs in: `zfs/tank/innkeeper/svc`.
    package let resource: String
    package let arguments: JSONObject
    /// Arguments that may reach the child process or the engine but no log, receipt, result or command line.
    package let secrets: JSONObject
    /// Whose the thing is that the call is about, where it says so.
    package let mark: Mark?

    package init(
        action: String, resource: String, arguments: JSONObject = [:], secrets: JSONObject = [:], mark: Mark? = nil
    ) {
        self.action = action
        self.resource = resource
        self.arguments = arguments
        self.secrets = secrets
        self.mark = mark
    }
}

/// What an action left behind.
package struct ActionOutcome: Sendable, Hashable {
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
    package let action: String
    package let resource: String

    package init(id: String, action: String, resource: String) {
        self.id = id
        self.action = action
        self.resource = resource
    }
}
