/// How much of its input a running command has read: the controller holds back what would wait in the agent.
package struct Consumed: WireMessage {
    package static let type = "consumed"
    /// Input bytes beyond what was consumed that a controller may have under way for one command.
    package static let window = 256 << 10

    /// Of the command.
    package var id: String
    /// Bytes since the command's beginning.
    package var bytes: Int64

    package init(id: String, bytes: Int64) {
        self.id = id
        self.bytes = bytes
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        bytes = try fields.natural("bytes")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("bytes", bytes)
    }
}
