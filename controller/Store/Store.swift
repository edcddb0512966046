import SQL
import Threads

/// The controller's memory: nodes, services, operations, metrics and usage in one database.
///
/// Every method is one transaction. Several of them make one through `atomically`. A change is on the disk when its
/// call returns. Times come from the caller; the store has no clock. Work runs on a thread of the store's own.
package actor Store {
    let database: any SQLConnection
    /// Of the file.
    package nonisolated let path: String
    let feed = ChangeFeed()
    let groupCommit: Duration
    let columnSeal: ColumnSeal?
    let clockTolerance: Duration
    let seriesLimit: SeriesLimit
    /// What the transaction that is open has done so far.
    private(set) var effort = Effort()
    /// What the largest transactions since the store was opened have done.
    private(set) var peakEffort = Effort()
    /// Asked of the database since the store was opened.
    package private(set) var statements = 0
    var intakeQueue = IntakeQueue()
    /// Which numbers of which streams are stored.
    var ledgers = Ledgers()
    /// Series sets that were used lately.
    var seriesNumbers: [SeriesKey: SeriesEntry] = [:]
    /// By node.
    var seriesUses: [String: SeriesUse] = [:]
    /// How busy nodes are, as they last told.
    var loads: [String: MeasuredLoad] = [:]
    /// Every node has its row for placement.
    var hasFilledRooms = false
    /// Changes of the transaction that is open, told to the feed once it is committed.
    private var pendingChanges: [Change] = []
    private var depth = 0
    private let thread: any SerialExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Opens the store at `path`, creates it when it is not there, and brings an older one to the newest schema.
    /// Blocks until that is done: call it at start-up.
    package init(path: String, options: StoreOptions = StoreOptions()) throws(StoreError) {
        self.path = path
        thread = options.executor ?? DiskThread()
        groupCommit = options.groupCommit
        columnSeal = options.seal
        clockTolerance = options.clockTolerance
        seriesLimit = options.seriesLimit
        database = try StoreFile.open(path, options)
    }

    /// Runs `body` in one transaction: all that it changed through this store is committed when it returns, and nothing
    /// when it throws. Inside another one, only the inner changes are undone.
    package func atomically<Value: Sendable>(
        _ body: @Sendable (isolated Store) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try transaction { () throws(StoreError) in try body(self) }
    }

    /// The same for work that may be refused: a refusal undoes what was written before it, as an error does.
    package func attempt<Value: Sendable, Refusal: Error>(
        _ body: @Sendable (isolated Store) throws(StoreError) -> Result<Value, Refusal>
    ) throws(StoreError) -> Result<Value, Refusal> {
        var refusal: Refusal?
        do throws(StoreError) {
            return .success(
                try transaction { () throws(StoreError) in
                    switch try body(self) {
                    case .success(let value): return value
                    case .failure(let error):
                        refusal = error
                        throw .invalid("refused")
                    }
                })
        } catch {
            if let refusal { return .failure(refusal) }
            throw error
        }
    }

    /// The same for what can be asked for again: a killed process loses nothing of it, a power cut may lose it until the
    /// next synced commit.
    package func atomicallyUnsynced<Value: Sendable>(
        _ body: @Sendable (isolated Store) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try unsynced { () throws(StoreError) in try body(self) }
    }

    /// Stores what waits, and ends the use of the file. Later calls throw `closed`.
    package func close() {
        while commitIntake() {}
        database.finish()
        feed.finish()
    }

    /// What is committed from now on, oldest first.
    package nonisolated func changes() -> AsyncStream<Change> { feed.subscribe() }

    func transaction<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        let mark = pendingChanges.count
        depth += 1
        if depth == 1 { effort = Effort() }
        defer {
            depth -= 1
            if depth == 0 { peakEffort = peakEffort.larger(effort) }
        }
        do throws(StoreError) {
            let value = try database.transaction(throwing: StoreError.self, body)
            if depth == 1 { publish() }
            return value
        } catch {
            pendingChanges.removeSubrange(mark...)
            throw error
        }
    }

    /// A transaction that is not synced by itself: a killed process loses nothing of it, a power cut may. Only for what
    /// the journal lets us write again.
    func unsynced<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        guard depth == 0 else { return try transaction(body) }
        try awaitDisk(false)
        let result = Result { () throws(StoreError) in try transaction(body) }
        try awaitDisk(true)
        return try result.get()
    }

    private func awaitDisk(_ isAwaited: Bool) throws(StoreError) {
        do throws(SQLError) { try database.awaitDisk(isAwaited) } catch { throw StoreError(error) }
    }

    func worked(rows: Int) {
        statements += 1
        effort.statements += 1
        effort.rows += rows
    }

    func forgetPeakEffort() { peakEffort = Effort() }

    /// Tells the feed after the commit. Call it inside `transaction`.
    func note(_ kind: Change.Kind, _ id: String, service: String? = nil, node: String? = nil) {
        let change = Change(kind: kind, id: id, service: service, node: node)
        // One operation may write many lines in one transaction: readers need to hear of it once.
        if pendingChanges.last != change { pendingChanges.append(change) }
    }

    private func publish() {
        let changes = pendingChanges
        pendingChanges = []
        feed.publish(changes)
    }
}

/// How much a transaction does: nobody else gets at the store meanwhile.
struct Effort: Sendable, Hashable {
    var statements = 0
    /// That were changed.
    var rows = 0

    /// Nothing more should be begun in this transaction.
    var isEnough: Bool { rows >= Intake.rowLimit || statements >= 5 * Intake.rowLimit }

    func larger(_ other: Effort) -> Effort {
        Effort(statements: max(statements, other.statements), rows: max(rows, other.rows))
    }
}
