import Model
package import Store
package import WireProtocol

/// One action of a driver that somebody wants done on a node, outside any service.
package struct NodeCommand: Sendable, Hashable {
    /// Of its operation record.
    package static let kind = "command"
    private static let secretsKey = OperationType.secretsKey
    private static let commandKey = "command"

    package var node: String
    package var driver: String
    /// Without the driver's name: `container.exec`.
    package var action: String
    package var resource: String
    package var arguments: JSONObject
    /// Sealed until the end of the operation, and never shown.
    package var secrets: JSONObject
    /// How long the agent lets it run.
    package var deadline: Duration
    /// Whether it may change anything: then it is never done a second time.
    package var mutates: Bool
    /// Its output waits for a reader.
    package var isFollowed: Bool
    /// It is called off when nobody has followed it for a while.
    package var isAttended: Bool

    package init(
        node: String, driver: String, action: String, resource: String, arguments: JSONObject = [:],
        secrets: JSONObject = [:], deadline: Duration, mutates: Bool, isFollowed: Bool = false,
        isAttended: Bool = false
    ) {
        self.node = node
        self.driver = driver
        self.action = action
        self.resource = resource
        self.arguments = arguments
        self.secrets = secrets
        self.deadline = deadline
        self.mutates = mutates
        self.isFollowed = isFollowed
        self.isAttended = isAttended
    }

    /// `docker.container.exec`
    package var name: String { "\(driver).\(action)" }

    /// It changes nothing and tells nothing.
    var isLook: Bool { !mutates && secrets.isEmpty }
}

extension NodeCommand {
    /// As an operation's parameters, which lie sealed in the store.
    var parameters: JSONObject {
        var parameters: JSONObject = [Self.commandKey: .object(json)]
        if !secrets.isEmpty { parameters[Self.secretsKey] = .object(secrets) }
        return parameters
    }

    private var json: JSONObject {
        var json: JSONObject = [
            "driver": .string(driver), "operation": .string(action), "resource": .string(resource),
            "arguments": .object(arguments), "deadline_ms": .integer(deadline.wholeMilliseconds),
            "mutates": .bool(mutates), "followed": .bool(isFollowed),
        ]
        if isAttended { json["attended"] = true }
        return json
    }

    /// Reads back what `parameters` made.
    package init(_ record: OperationRecord) throws(FieldError) {
        guard let node = record.node else { throw FieldError(path: "node", problem: .missing) }
        try self.init(record.parameters, node: node)
    }

    /// - Parameter parameters: what `parameters` made.
    init(_ parameters: JSONObject, node: String) throws(FieldError) {
        self = try parameters.nested(Self.commandKey) { (fields) throws(FieldError) in
            NodeCommand(
                node: node, driver: try fields.string("driver"), action: try fields.string("operation"),
                resource: try fields.string("resource"), arguments: try fields.object("arguments"),
                deadline: .milliseconds(try fields.integer("deadline_ms")), mutates: try fields.bool("mutates"),
                isFollowed: try fields.bool("followed"), isAttended: try fields.optionalBool("attended") ?? false)
        }
        secrets = try parameters.optionalObject(Self.secretsKey) ?? [:]
    }

    /// Whether a request is the one that made `record`; secrets are gone when that has ended.
    func isSame(as record: OperationRecord) -> Bool {
        record.node == node && record.parameters[Self.commandKey] == .object(json)
    }
}
