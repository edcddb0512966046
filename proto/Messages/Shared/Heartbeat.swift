/// Says that the sender lives. The agent sends it; the controller answers with the same `seq`.
package struct Heartbeat: WireMessage {
    package static let type = "heartbeat"

    /// Counts up from 1 within a session.
    package var seq: Int64
    /// The sender's clock, ms since 1970.
    package var time: Int64

    package init(seq: Int64, time: Int64) {
        self.seq = seq
        self.time = time
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        seq = try fields.natural("seq")
        time = try fields.natural("time")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("seq", seq)
        fields.put("time", time)
    }
}
