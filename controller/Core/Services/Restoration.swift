package import Model
import Saga
package import Store
import WireProtocol

/// What becomes of unfinished operations in a store that was brought back from a backup. Whatever has happened since the
/// backup was taken is not in it: any of them may have ended, and others may have followed.
///
/// They keep their ids and generations, so that an agent which has done the work answers with its receipt and one which has
/// seen a newer command refuses. They go forward only: to undo could destroy what a later operation, now forgotten, has made.
package enum Restoration {
    static let baseKey = "generation_base"
    private static let markKey = "restored"

    static func concerns(_ operation: OperationRecord) -> Bool { operation.parameters[markKey] != nil }

    /// Makes a store that has just been unpacked fit for use. Call it once, before anything else works on the store.
    /// Returns how many operations were unfinished.
    package static func settle(
        _ store: Store, _ catalogue: Catalogue, takenAt: Timestamp, at now: Timestamp
    ) async throws(StoreError) -> Int {
        try await store.atomically { store throws(StoreError) in
            let base = try store.generationBase()
            try store.beginAnew(at: now)
            let unfinished = try store.unfinishedOperations()
            for operation in unfinished { try store.settle(operation, catalogue, base, at: now) }
            try store.audit(
                AuditRecord(
                    id: Identifier.make("aud"), time: now, actor: "restore", action: "store.restore",
                    subject: "controller", detail: ["backup_taken_at": .string(takenAt.iso8601)]))
            return unfinished.count
        }
    }
}

extension Store {
    fileprivate func settle(
        _ operation: OperationRecord, _ catalogue: Catalogue, _ base: Int64, at now: Timestamp
    ) throws(StoreError) {
        if !operation.isUntouched, try isGoingBack(operation) {
            let problem = "it was being undone when the restored backup was taken"
            return try abandon(operation, because: problem, catalogue, at: now)
        }
        if catalogue.type(operation.kind)?.goesOnAfterRestore == false {
            let problem = "it was not done when the restored backup was taken; whether it was done since is unknown"
            return try abandon(operation, because: problem, catalogue, at: now)
        }
        let subject = try operation.service.flatMap { id throws(StoreError) in try service(id) }
        let verb = subject.flatMap { catalogue.verb(operation.kind, of: $0)?.verb }
        if let subject, subject.node == nil, verb?.role == .begins,
            catalogue.product(of: subject)?.placement != nil
        {
            return try endUnplaced(operation, at: now)
        }
        try updateOperation(operation.id) {
            $0.parameters["restored"] = .integer(now.milliseconds)
            $0.parameters[Restoration.baseKey] = .integer(base)
        }
    }

    private func isGoingBack(_ operation: OperationRecord) throws(StoreError) -> Bool {
        try journal(operation.id).contains { $0.entry["entry"] == "unwind_started" }
    }

    /// It may have been placed on another node since. Asked for again, it goes to where its container is, if there is one.
    private func endUnplaced(_ operation: OperationRecord, at now: Timestamp) throws(StoreError) {
        let message = "the store was restored from a backup taken before this was placed; ask for it again"
        try updateOperation(operation.id) {
            $0.state = .failed
            $0.finishedAt = now
            $0.error = OperationFailure(code: "restored", message: message, retryable: true)
        }
        try appendLog(operation.id, [OperationLogLine(time: now, level: "error", text: message)])
        if let service = operation.service { try updateService(service, at: now) { $0.state = .failed } }
    }
}
