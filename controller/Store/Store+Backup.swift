import SQLite

extension Store {
    /// Copies the whole store, as it is at one moment, to a new file while work goes on. It reads through a connection
    /// of its own on a thread of its own; neither waits for the other.
    package nonisolated func backup(to target: String) async throws(StoreError) {
        let path = await path
        try await Self.backup(from: path, to: target)
    }

    /// The same for a store that this process has not opened, or another process has.
    package static func backup(from path: String, to target: String) async throws(StoreError) {
        let copy = StoreCopy(thread: try StoreThread())
        try await copy.copy(from: path, to: target)
    }

    package var path: String { database.path }
}

/// Runs a backup on its own thread.
private actor StoreCopy {
    private let thread: StoreThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(thread: StoreThread) { self.thread = thread }

    func copy(from path: String, to target: String) throws(StoreError) {
        do throws(SQLiteError) {
            let source = try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readWrite))
            defer { source.close() }
            try source.backup(to: target)
        } catch {
            throw StoreError(error)
        }
    }
}
