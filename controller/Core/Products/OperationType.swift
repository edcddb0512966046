package import Model
package import Placement
package import Saga
package import Store
package import WireProtocol

/// A kind of work that can be asked for: what it may touch, how it begins and ends, its steps and its limits.
package struct OperationType: Sendable {
    /// Whose scope it takes to ask for it and to call it off.
    package enum Access: Sendable, Hashable {
        case services
        /// Work on nodes directly.
        case commands
    }

    /// What the work on a node is counted against.
    package enum Places: Sendable, Hashable {
        /// The node's places for operations, which all such types share.
        case shared
        /// Places of its own, as many as this on each node: a shell may be open for hours.
        case own(Int)
    }

    package var kind: String
    package var access: Access
    package var places: Places
    /// Work that waited or ran when a backup was taken, and may have been done since: true goes on with it after a restore,
    /// false says that nobody knows.
    package var goesOnAfterRestore: Bool
    /// Steps of an operation, as far as its table is known before it is looked at.
    package var outline: @Sendable (_ product: Product?) -> [StepOutline]
    /// Makes what can be run. Throws `UnusableOperation`, or what the record makes it throw.
    package var prepare: @Sendable (Preparation) async throws -> OperationWork

    package init(
        kind: String, access: Access, places: Places, goesOnAfterRestore: Bool,
        outline: @escaping @Sendable (Product?) -> [StepOutline],
        prepare: @escaping @Sendable (Preparation) async throws -> OperationWork
    ) {
        (self.kind, self.access, self.places) = (kind, access, places)
        (self.goesOnAfterRestore, self.outline, self.prepare) = (goesOnAfterRestore, outline, prepare)
    }
}

/// What an operation's work is made from.
package struct Preparation: Sendable {
    package let dependencies: Dependencies
    package let rules: PlacementRules
    package let operation: OperationRecord
    /// Of the table that it began with; nil for one that has not begun.
    package let revision: Int64?
    /// Writes a line into the operation's log.
    package let note: @Sendable (_ step: String, _ text: String) -> Void
}

/// Why an operation cannot be run at all.
package struct UnusableOperation: Error, Sendable {
    package var sentence: String
    package init(sentence: String) { self.sentence = sentence }
}

/// An operation as it can be run.
package struct OperationWork: Sendable {
    package typealias Begin =
        @Sendable (isolated Store, OperationRecord, Timestamp) throws(StoreError) -> Beginning
    package typealias End = @Sendable (isolated Store, OperationRecord, OperationEnd) throws(StoreError) -> Void

    package var saga: BoundSaga
    /// Of the service that it is for; empty for work on nodes.
    package var product = ""
    /// Part of the transaction that starts the operation.
    package var begin: Begin
    /// What the outcome is really: where nobody knows how far the last step came, to say that it failed would be a guess.
    package var judge: @Sendable (SagaOutcome, _ last: StepFailure?) -> SagaOutcome
    /// Part of the transaction that ends it.
    package var end: End

    package init(
        saga: BoundSaga, begin: @escaping Begin,
        judge: @escaping @Sendable (SagaOutcome, StepFailure?) -> SagaOutcome = { outcome, _ in outcome },
        end: @escaping End = { (_, _, _) throws(StoreError) in }
    ) {
        (self.saga, self.begin, self.judge, self.end) = (saga, begin, judge, end)
    }
}

/// Whether an operation may begin when its turn has come.
package enum Beginning: Sendable {
    /// With facts that are frozen in its journal.
    case context(JSONObject)
    case refused(StepFailure)
}

/// How an operation ended.
package struct OperationEnd: Sendable {
    package var outcome: SagaOutcome
    /// What was frozen at its start; empty when it never began.
    package var context: JSONObject
    package var outputs: [String: JSONValue]
    package var time: Timestamp
}
