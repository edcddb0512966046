import Threads

/// The controller's memory: nodes, services, operations, metrics and usage in one database.
///
/// Every method is one transaction. Several of them make one through `atomically`. A change is on the disk when its
/// call returns. Times come from the caller; the store has no clock. Work runs on a thread of the store's own.
package actor Store {
    /// Of the file.
    package nonisolated let path: String
    let database: Database
    /// Which numbers of which streams are stored.
    let ledgers: Ledgers
    /// The names of what nodes measure.
    let series: SeriesSets
    var intakeQueue: IntakeQueue
    /// How busy nodes are, as they last told.
    var loads = MeasuredLoads()
    private let feed = ChangeFeed()
    private let thread: any SerialExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Opens the store at `path`, creates it when it is not there, and brings an older one to the newest schema.
    /// Blocks until that is done: call it at start-up.
    package init(path: String, options: StoreOptions = StoreOptions()) throws(StoreError) {
        self.path = path
        thread = options.executor ?? DiskThread()
        let feed = feed
        let database = Database(try StoreFile.open(path, options), seal: options.seal) { feed.publish($0) }
        try NodeRoom.fillMissing(database)
        try OldObservations.bringForward(database)
        self.database = database
        ledgers = Ledgers(database)
        series = SeriesSets(database, limit: options.seriesLimit)
        intakeQueue = IntakeQueue(delay: options.groupCommit, tolerance: options.clockTolerance)
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
        try database.unsynced { () throws(StoreError) in try body(self) }
    }

    /// Stores what waits, and ends the use of the file. Later calls throw `closed`.
    package func close() {
        while commitIntake() {}
        database.finish()
        feed.finish()
    }

    /// What is committed from now on, oldest first.
    package nonisolated func changes() -> AsyncStream<Change> { feed.subscribe() }

    /// Asked of the database since the store was opened.
    package var statements: Int { database.effort.statements }
}
