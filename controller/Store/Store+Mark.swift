package import Model
import SQL
import WireProtocol

/// How far a store has come, kept beside it so that a start can tell whether commits are missing: because its write-ahead
/// log was lost or damaged, or because an old copy was put in its place.
package struct StoreMark: Sendable, Hashable {
    /// Names the store's history. A restored backup begins another one.
    package var epoch: String
    /// Rises; a store that has reached it holds everything that was committed before.
    package var number: Int64

    package init(epoch: String, number: Int64) {
        self.epoch = epoch
        self.number = number
    }
}

extension Store {
    private static let epochSetting = "store.epoch"
    private static let markSetting = "store.mark"
    private static let restoredSetting = "store.restored"

    package func mark() throws(StoreError) -> StoreMark {
        StoreMark(
            epoch: try setting(Self.epochSetting) ?? "",
            number: try setting(Self.markSetting).flatMap { Int64($0) } ?? 0)
    }

    /// Goes one mark further. When it returns, everything that was committed before is on the disk.
    package func advanceMark() throws(StoreError) -> StoreMark {
        try transaction { () throws(StoreError) in
            if try setting(Self.epochSetting) == nil {
                try setSetting(Self.epochSetting, Identifier.make("store"))
            }
            try setSetting(Self.markSetting, "\(try mark().number + 1)")
            return try mark()
        }
    }

    /// Begins another history, with what happened since the backup was taken lost: a new epoch, generations above all
    /// that agents may have seen, and join tokens that were perhaps used up revoked.
    package func beginAnew(at now: Timestamp) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try setSetting(Self.epochSetting, Identifier.make("store"))
            try setSetting(Self.restoredSetting, "\(now.milliseconds)")
            // By the second, so that two restores of one backup differ; with room for millions of operations in between.
            // And above whatever it is already, by more than there can have been operations since the backup.
            try raiseGenerations(above: max(Self.generations(until: now), try generationBase() + (1 << 32)))
            try run("UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL", [now])
        }
    }

    /// When this store was last brought back from a backup; nil when it never was.
    package func restoredAt() throws(StoreError) -> Timestamp? {
        try setting(Self.restoredSetting).flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
    }
}

extension Store {
    private static let generationSetting = "generation.base"

    /// What is added to the generation of every order of an operation that begins now.
    package func generationBase() throws(StoreError) -> Int64 {
        try setting(Self.generationSetting).flatMap { Int64($0) } ?? 0
    }

    /// What a store that was restored at `time` gives its first order at least.
    private static func generations(until time: Timestamp) -> Int64 { time.milliseconds / 1000 << 24 }

    /// Whether some controller can have given this generation by now.
    package static func mayHaveGiven(_ generation: Int64, until now: Timestamp) -> Bool {
        generation <= Command.newestGeneration(by: now.milliseconds)
    }

    /// Makes all operations that begin from now on newer than one that a node says it has seen.
    /// - Returns: false when no controller can have given it. Then nothing changes: a node's lie would make the orders to all
    ///   others so new that nothing can come after them.
    package func raiseGenerations(above seen: Int64, at now: Timestamp) throws(StoreError) -> Bool {
        guard Self.mayHaveGiven(seen, until: now) else { return false }
        try raiseGenerations(above: seen)
        return true
    }

    private func raiseGenerations(above generation: Int64) throws(StoreError) {
        try transaction { () throws(StoreError) in
            guard try generationBase() <= generation, generation < .max / 2 else { return }
            // Even, so that the last bit still tells going forward from going back.
            try setSetting(Self.generationSetting, "\((generation + 2) & ~1)")
        }
    }
}

extension Store {
    /// Whether anything but an `init` has worked with the store.
    package func hasBeenUsed() throws(StoreError) -> Bool {
        let sql = """
            SELECT EXISTS (SELECT 1 FROM nodes) OR EXISTS (SELECT 1 FROM plans) OR EXISTS (SELECT 1 FROM operations)
                OR EXISTS (SELECT 1 FROM tokens) OR EXISTS (SELECT 1 FROM audit WHERE actor <> 'init')
            """
        return try row(sql) { (row) throws(SQLError) in try row.bool() } ?? false
    }
}
