package import WireProtocol

/// Something that a driver of a node can do.
package struct OperationOffer: Codable, Sendable, Hashable {
    package var driver: String
    /// With the driver's name: `docker.container.exec`.
    package var name: String
    /// `observe` or `mutate`.
    package var kind: String
    package var summary: String
    /// Time limit of a command that brings none.
    package var deadlineSeconds: Int64
    /// As good as a shell on the node: its policy must name it.
    package var guarded: Bool
    /// False where the node's policy allows it on no resource.
    package var allowed: Bool

    package init(
        driver: String, name: String, kind: String, summary: String, deadlineSeconds: Int64, guarded: Bool,
        allowed: Bool
    ) {
        self.driver = driver
        self.name = name
        self.kind = kind
        self.summary = summary
        self.deadlineSeconds = deadlineSeconds
        self.guarded = guarded
        self.allowed = allowed
    }
}

/// `POST /api/v1/nodes/{id}/commands`.
package struct CommandOrder: Codable, Sendable {
    /// With the driver's name: `docker.container.exec`.
    package var operation: String
    /// What it works on, as the driver calls it: `docker/web`. The driver's name when absent.
    package var resource: String?
    /// An object.
    package var arguments: JSONValue?
    /// An object of arguments that are never shown, logged or given to a command line.
    package var secrets: JSONValue?
    /// 1 to 86400; the operation's own when absent.
    package var deadlineSeconds: Int64?
    /// The output waits for a reader of the operation's events, so that nothing of it is lost.
    package var follow: Bool?

    package init(
        operation: String, resource: String? = nil, arguments: JSONValue? = nil, secrets: JSONValue? = nil,
        deadlineSeconds: Int64? = nil, follow: Bool? = nil
    ) {
        self.operation = operation
        self.resource = resource
        self.arguments = arguments
        self.secrets = secrets
        self.deadlineSeconds = deadlineSeconds
        self.follow = follow
    }
}

/// What a command operation does.
package struct CommandView: Codable, Sendable, Hashable {
    /// With the driver's name.
    package var name: String
    package var resource: String
    package var deadlineSeconds: Int64

    package init(name: String, resource: String, deadlineSeconds: Int64) {
        self.name = name
        self.resource = resource
        self.deadlineSeconds = deadlineSeconds
    }
}
