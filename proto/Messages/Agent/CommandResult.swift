/// The end of a command. Sent again in every session until the controller acknowledges it.
package struct CommandResult: WireMessage {
    package static let type = "result"

    package var id: String
    /// A final one.
    package var status: CommandStatus
    /// Whether the world is different now. False of "already so" and of "gone already".
    package var changed: Bool
    /// What the driver saw when it was done.
    package var observed: JSONObject
    /// There unless the command succeeded.
    package var error: CommandError?
    /// When the work left its lane's queue, ms since 1970; nil when it never did.
    package var started: Int64?
    package var finished: Int64
    /// From the receipt of an earlier run, not from work done now.
    package var replayed: Bool
    /// Bytes of its standard output, told or not: whoever has fewer has not heard all.
    package var outputBytes: Int64?

    package init(
        id: String, status: CommandStatus, changed: Bool, observed: JSONObject = [:], error: CommandError? = nil,
        started: Int64? = nil, finished: Int64, replayed: Bool = false, outputBytes: Int64? = nil
    ) {
        self.id = id
        self.status = status
        self.changed = changed
        self.observed = observed
        self.error = error
        self.started = started
        self.finished = finished
        self.replayed = replayed
        self.outputBytes = outputBytes
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        status = try fields.code("status")
        guard status.isFinal else {
            throw FieldError(path: "status", problem: .value(expected: "a final status"))
        }
        changed = try fields.bool("changed")
        observed = try fields.object("observed")
        error = try fields.optionalNested("error", CommandError.init(reading:))
        started = try fields.optionalNatural("started")
        finished = try fields.natural("finished")
        replayed = try fields.bool("replayed")
        outputBytes = try fields.optionalNatural("output_bytes")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("status", status)
        fields.put("changed", changed)
        fields.put("observed", observed)
        fields.put("error", error)
        fields.put("started", started)
        fields.put("finished", finished)
        fields.put("replayed", replayed)
        fields.put("output_bytes", outputBytes)
    }
}
