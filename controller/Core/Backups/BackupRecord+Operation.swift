package import Model
package import Store
import WireProtocol

extension BackupRecord {
    /// Where an operation's parameters say who asked for a backup.
    package static let causeParameter = "cause"

    /// As the operation that made it has left it. Its id follows from the operation's: done twice, it is one.
    package init(of operation: OperationRecord, name: String, node: String?, sizeBytes: Int64?, madeAt: Timestamp) {
        let cause = operation.parameters[Self.causeParameter]?.asString.flatMap(Cause.init(rawValue:)) ?? .demand
        self.init(
            id: "bak_\(operation.id.drop { $0 != "_" }.dropFirst())", service: operation.service ?? "", name: name,
            node: node, sizeBytes: sizeBytes, cause: cause, madeAt: madeAt)
    }
}
