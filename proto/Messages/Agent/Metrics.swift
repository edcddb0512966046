/// One sample of every series of a set, taken at one time.
package struct Metrics: WireMessage {
    package static let type = "metrics"

    /// Position in the agent's stream of metrics, counting up over sessions and restarts.
    package var seq: Int64
    /// When the sample was taken, by the agent's clock, ms since 1970.
    package var time: Int64
    /// The `SeriesDefinition` that names the values.
    package var set: String
    /// One for each name, in their order; nil where there was no figure. Always finite.
    package var values: [Double?]
    /// Out of the spool, behind live data.
    package var replayed: Bool

    package init(seq: Int64, time: Int64, set: String, values: [Double?], replayed: Bool = false) {
        self.seq = seq
        self.time = time
        self.set = set
        self.values = values
        self.replayed = replayed
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        seq = try fields.natural("seq")
        time = try fields.natural("time")
        set = try fields.seriesSet("set")
        let array = try fields.array("values")
        guard !array.isEmpty else { throw FieldError(path: "values", problem: .value(expected: "at least one value")) }
        guard array.count <= SeriesDefinition.maximumNames else {
            throw FieldError(path: "values", problem: .tooMany(limit: SeriesDefinition.maximumNames))
        }
        values = []
        values.reserveCapacity(array.count)
        for (index, value) in array.enumerated() {
            guard value.isNull || value.asNumber != nil else {
                throw FieldError(path: "values[\(index)]", problem: .type(expected: "a number or null"))
            }
            values.append(value.asNumber)
        }
        replayed = try fields.optionalBool("replayed") ?? false
    }

    /// Whole values go without a decimal point; a value that is not finite goes as `null`.
    package func write(_ fields: inout FieldWriter) {
        fields.put("seq", seq)
        fields.put("time", time)
        fields.put("set", set)
        fields.array("values", values) { json, value in
            if let value { json.shortNumber(value) } else { json.raw("null") }
        }
        if replayed { fields.put("replayed", true) }
    }
}
