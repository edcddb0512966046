import Store

/// What a command to an agent outside any service needs to know of the operation that sends it.
protocol RunScope: Sendable {
    var dependencies: Dependencies { get }
    var operation: OperationRecord { get }
}

/// How a run came to its end.
enum RunEnding: Sendable { case finished, stopped }
