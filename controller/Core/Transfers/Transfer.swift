import Model
package import Store
package import WireProtocol

/// A snapshot on its way from a dataset of one node into a dataset of another, through the controller.
package struct Transfer: Sendable, Hashable {
    /// Of its operation record.
    package static let kind = "transfer"
    /// What says the stream: `zfs.dataset.send`.
    package var sender: NodeCommand
    /// What reads it: `zfs.dataset.receive`.
    package var receiver: NodeCommand
    /// The snapshot that is wanted.
    package var snapshot: String
}

/// A transfer as somebody asks for it.
package struct TransferRequest: Sendable, Hashable {
    /// Id of the node, and the dataset there.
    package struct Place: Sendable, Hashable {
        package var node: String
        package var dataset: String

        package init(node: String, dataset: String) { (self.node, self.dataset) = (node, dataset) }
    }

    package var source: Place
    package var target: Place
    package var snapshot: String
    /// Further arguments of `zfs.dataset.send` and `zfs.dataset.receive`, as the driver names them.
    package var sending: JSONObject
    package var receiving: JSONObject
    /// 1 s to 24 h.
    package var deadline: Duration

    package init(
        from source: Place, to target: Place, snapshot: String, sending: JSONObject = [:], receiving: JSONObject = [:],
        deadline: Duration = .seconds(24 * 3600)
    ) {
        self.source = source
        self.target = target
        self.snapshot = snapshot
        self.sending = sending
        self.receiving = receiving
        self.deadline = deadline
    }

    var transfer: Transfer {
        func command(_ place: Place, _ action: String, _ arguments: JSONObject, mutates: Bool) -> NodeCommand {
            var all = arguments
            all["dataset"] = .string(place.dataset)
            return NodeCommand(
                node: place.node, driver: "zfs", action: action, resource: "zfs/\(place.dataset)",
                arguments: all, deadline: deadline, mutates: mutates)
        }
        let sending = sending.merged(with: ["snapshot": .string(snapshot)])
        return Transfer(
            sender: command(source, "dataset.send", sending, mutates: false),
            receiver: command(target, "dataset.receive", receiving, mutates: true), snapshot: snapshot)
    }
}

extension Transfer {
    private static let key = "transfer"

    /// As an operation's parameters.
    var parameters: JSONObject {
        [
            Self.key: [
                "snapshot": .string(snapshot), "from": .string(sender.node), "to": .string(receiver.node),
                "sender": .object(sender.parameters), "receiver": .object(receiver.parameters),
            ]
        ]
    }

    /// Reads back what `parameters` made.
    package init(_ record: OperationRecord) throws(FieldError) {
        self = try record.parameters.nested(Self.key) { (fields) throws(FieldError) in
            Transfer(
                sender: try NodeCommand(try fields.object("sender"), node: try fields.string("from")),
                receiver: try NodeCommand(try fields.object("receiver"), node: try fields.string("to")),
                snapshot: try fields.string("snapshot"))
        }
    }

    func isSame(as record: OperationRecord) -> Bool { (try? Transfer(record)) == self }
}
