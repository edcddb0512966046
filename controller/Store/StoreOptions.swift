/// How a store is opened.
package struct StoreOptions: Sendable {
    /// How long metrics and usage wait for others, so that one commit serves many nodes.
    package var groupCommit: Duration
    /// The most pages of 4 KiB that the file may have, for a bounded store.
    package var maximumPages: Int?
    /// Memory for pages, in KiB.
    package var cacheKiB: Int
    /// How long to wait for another program that holds the file.
    package var busyTimeout: Duration
    /// A file that is missing or empty is an error, not a new store.
    package var mustExist: Bool
    /// Where the store works; nil for a thread of its own.
    package var executor: (any SerialExecutor)?
    /// Seals what may hold secrets; without it rows are written in clear and sealed ones cannot be read.
    package var seal: ColumnSeal?
    /// How far ahead of the controller a node's clock may be before it is not believed.
    package var clockTolerance: Duration = .seconds(300)
    /// What the names of one node's figures may take.
    package var seriesLimit = SeriesLimit()

    package init(
        groupCommit: Duration = .milliseconds(50), maximumPages: Int? = nil, cacheKiB: Int = 16384,
        busyTimeout: Duration = .seconds(5), mustExist: Bool = false, executor: (any SerialExecutor)? = nil,
        seal: ColumnSeal? = nil
    ) {
        self.executor = executor
        self.groupCommit = groupCommit
        self.maximumPages = maximumPages
        self.cacheKiB = cacheKiB
        self.busyTimeout = busyTimeout
        self.mustExist = mustExist
        self.seal = seal
    }
}
