import Store

/// What a run needs to know of the things that its steps work on.
protocol RunScope: Sendable {
    var world: World { get }
    var operation: OperationRecord { get }
    var subject: RunSubject { get }
}

/// What an operation is about, and what moves along with its journal.
enum RunSubject: Sendable {
    case service(id: String, kind: OperationKind)
    case command(NodeCommand)
    case transfer(Transfer)
}

/// How a run came to its end.
enum RunEnding: Sendable { case finished, stopped }

extension ServiceScope: RunScope {
    var subject: RunSubject { .service(id: service.id, kind: kind) }
}
