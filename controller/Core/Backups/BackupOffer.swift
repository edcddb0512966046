package import Store
package import WireProtocol

/// How a product backs its services up. The core keeps the list, makes them by schedule and has them read back; the product brings
/// the steps.
package struct BackupOffer: Sendable {
    /// What a specification says of backups.
    package struct Rule: Sendable, Hashable {
        /// How many are kept; none are made where it is 0.
        package var keep: Int64
        /// From one to the next; nil makes none by itself.
        package var every: Duration?

        package init(keep: Int64, every: Duration?) { (self.keep, self.every) = (keep, every) }
    }

    /// What was seen of a backup on its storage.
    package enum Sighting: Sendable, Hashable {
        case there(sizeBytes: Int64?)
        case gone
        /// Nothing that can be relied on.
        case unclear
    }

    package var rule: @Sendable (JSONObject) -> Rule
    /// Makes one, and removes those beyond the rule. Its operations have the parameter `cause` where the schedule asks for them.
    package var backUp: Verb
    /// With the parameter `backup`, an id: takes the service back to it, in place.
    package var restore: Verb
    /// With the parameter `backup`, an id.
    package var remove: Verb
    /// What the node that made the backup, or another one that reaches its storage, is asked to see it; nil where there is nothing to ask.
    package var question: @Sendable (ServiceLook, BackupRecord) -> Question?
    /// Whether all nodes of the cluster reach the storage on which the backup lies, as one of them says; nil where it does not
    /// say. Without that, it lies with the node that made it.
    package var isShared: @Sendable (ServiceLook, BackupRecord, _ node: String) async -> Bool?
    package var read: @Sendable (CommandResult, BackupRecord) -> Sighting
    /// The specification of another service that is made of a backup: from that of the one which it is of, and another plan's
    /// where one is named. Nil for a product that makes none. The verb that begins finds `Restoring.parameter`.
    package var copy: (@Sendable (_ spec: JSONObject, _ plan: JSONObject?) throws(CoreError) -> JSONObject)?

    package init(
        rule: @escaping @Sendable (JSONObject) -> Rule, backUp: Verb, restore: Verb, remove: Verb,
        question: @escaping @Sendable (ServiceLook, BackupRecord) -> Question?,
        isShared: @escaping @Sendable (ServiceLook, BackupRecord, String) async -> Bool? = { _, _, _ in nil },
        read: @escaping @Sendable (CommandResult, BackupRecord) -> Sighting,
        copy: (@Sendable (JSONObject, JSONObject?) throws(CoreError) -> JSONObject)? = nil
    ) {
        (self.rule, self.backUp, self.restore, self.remove) = (rule, backUp, restore, remove)
        (self.question, self.isShared, self.read, self.copy) = (question, isShared, read, copy)
    }
}

/// What the operation that makes a service of another one's backup is told.
package struct Restoring: Sendable, Hashable {
    /// Where an operation's parameters hold it.
    package static let parameter = "restoring"

    /// The id of the backup.
    package var backup: String
    /// What its storage calls it.
    package var name: String
    /// That made it.
    package var node: String?
    /// That it is of.
    package var service: String

    package init(_ record: BackupRecord) {
        (backup, name, node, service) = (record.id, record.name, record.node, record.service)
    }

    /// Nil for an operation that makes a service of nothing.
    package init?(_ operation: OperationRecord) {
        guard let json = operation.parameters[Self.parameter]?.asObject, let backup = json["backup"]?.asString,
            let name = json["name"]?.asString, let service = json["service"]?.asString
        else { return nil }
        (self.backup, self.name, self.service) = (backup, name, service)
        node = json["node"]?.asString
    }

    package var json: JSONValue {
        var json: JSONObject = ["backup": .string(backup), "name": .string(name), "service": .string(service)]
        json["node"] = node.map { .string($0) }
        return .object(json)
    }
}
