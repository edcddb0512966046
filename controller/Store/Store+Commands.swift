package import Model
package import WireProtocol

extension Store {
    /// Records a command before it is sent. False when the id is known already; the first record stays.
    ///
    /// Not synced: the operation's journal has the id on the disk already, so after a power cut the command is recorded and
    /// sent again under the same id, and the agent's receipt answers.
    package func insertCommand(_ command: CommandRecord) throws(StoreError) -> Bool {
        try database.unsynced { () throws(StoreError) in try database.insertNew(command) }
    }

    package func command(_ id: String) throws(StoreError) -> CommandRecord? {
        try first(CommandRecord.self, "WHERE id = ?", [id])
    }

    /// Records a result before it is acknowledged. The first result wins: a repeated one returns false and changes
    /// nothing. A result of an unknown command throws `notFound`.
    @discardableResult
    package func recordResult(
        _ id: String, _ state: CommandRecord.State, result: JSONValue, at time: Timestamp
    ) throws(StoreError) -> Bool {
        try transaction { () throws(StoreError) in
            guard var command = try command(id) else { throw .notFound(kind: "command", id: id) }
            guard !command.state.isFinished else { return false }
            (command.state, command.result, command.finishedAt) = (state, result, time)
            return try overwrite(command)
        }
    }

    /// Removes commands that ended before `time` and whose operation has ended too. Returns how many.
    package func pruneCommands(before time: Timestamp, limit: Int = 1000) throws(StoreError) -> Int {
        let sql = """
            DELETE FROM commands WHERE id IN (
                SELECT id FROM commands WHERE finished_at < ? AND NOT EXISTS (
                    SELECT 1 FROM operations WHERE operations.id = commands.operation
                        AND operations.state IN ('queued', 'running'))
                LIMIT ?)
            """
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}
