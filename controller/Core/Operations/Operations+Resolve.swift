import Model
package import Store
import WireProtocol

extension Operations {
    /// Characters of a note.
    private static var noteLength: ClosedRange<Int> { 1...1000 }

    /// Somebody has seen to what an operation that needs attention has left, and says how. The service's own state is
    /// changed by operations alone: a repair, another try, a termination.
    package func resolve(
        _ operation: String, note: String, by requester: Requester
    ) async throws(CoreError) -> OperationRecord {
        try requester.requireFleet()
        guard Self.noteLength.contains(note.count),
            note.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control || $0 == "\n" })
        else {
            throw .invalid(field: "note", problem: "must be 1 to 1000 characters that say what was done")
        }
        let now = now
        return try await record { store throws(StoreError) in
            guard let record = try store.operation(operation) else {
                return .failure(.notFound(kind: "operation", id: operation))
            }
            // The same again, because its answer was lost.
            if record.state == .resolved { return .success(record) }
            guard record.state == .needsAttention else {
                return .failure(
                    .notAllowedInState(
                        resource: "operation \(operation)", state: record.state.rawValue,
                        reason: "only one that needs attention can be resolved"))
            }
            return .success(try store.resolve(record, because: note, by: requester, at: now))
        }
    }
}

extension Store {
    /// What was left over stays in the operation's result, with who has seen to it.
    func resolve(
        _ operation: OperationRecord, because note: String, by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> OperationRecord {
        let resolution: JSONValue = [
            "by": .string(requester.name), "at": .integer(time.milliseconds), "note": .string(note),
        ]
        try appendLog(operation.id, [OperationLogLine(time: time, level: "info", text: "resolved: \(note)")])
        try audit("operation.resolve", operation.id, by: requester, at: time, detail: ["note": .string(note)])
        return try updateOperation(operation.id) {
            $0.state = .resolved
            var result = $0.result?.asObject ?? [:]
            result["resolution"] = resolution
            $0.result = .object(result)
        }
    }
}
