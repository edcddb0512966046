/// Readings of the counters that invoices are made of. MarkedObject on the agent's disk until acknowledged, never dropped.
package struct Usage: WireMessage {
    package static let type = "usage"

    /// Position in the agent's stream of usage, counting up over sessions and restarts.
    package var seq: Int64
    /// When the counters were read, by the agent's clock, ms since 1970.
    package var time: Int64
    package var counters: [Counter]

    package init(seq: Int64, time: Int64, counters: [Counter]) {
        self.seq = seq
        self.time = time
        self.counters = counters
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        seq = try fields.natural("seq")
        time = try fields.natural("time")
        counters = try fields.list("counters", Counter.init(reading:))
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("seq", seq)
        fields.put("time", time)
        fields.put("counters", counters)
    }

    /// A counter that only grows while its epoch stays the same; a new epoch begins at zero.
    package struct Counter: WireRecord {
        /// The resource that it counts for.
        package var subject: String
        /// What it counts, with its unit: `cpu_ms`, `network_tx_bytes`.
        package var meter: String
        package var epoch: String
        package var value: Int64

        package init(subject: String, meter: String, epoch: String, value: Int64) {
            self.subject = subject
            self.meter = meter
            self.epoch = epoch
            self.value = value
        }

        package init(reading fields: JSONObject) throws(FieldError) {
            subject = try fields.name("subject")
            meter = try fields.id("meter")
            epoch = try fields.name("epoch", limit: 128)
            value = try fields.natural("value")
        }

        package func write(_ fields: inout FieldWriter) {
            fields.put("subject", subject)
            fields.put("meter", meter)
            fields.put("epoch", epoch)
            fields.put("value", value)
        }
    }
}
