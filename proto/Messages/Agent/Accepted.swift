/// The command's receipt is on disk: from here on the agent will answer for it, whatever happens.
package struct Accepted: WireMessage {
    package static let type = "accepted"

    package var id: String
    /// `accepted`, or `running` when it is a repeat of one that runs.
    package var status: CommandStatus
    /// The same id and body had come before.
    package var duplicate: Bool

    package init(id: String, status: CommandStatus, duplicate: Bool) {
        self.id = id
        self.status = status
        self.duplicate = duplicate
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        status = try fields.code("status")
        duplicate = try fields.bool("duplicate")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("status", status)
        fields.put("duplicate", duplicate)
    }
}
