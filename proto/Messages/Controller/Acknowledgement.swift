/// What the controller has stored: the agent may forget it.
package struct Acknowledgement: WireMessage {
    package static let type = "ack"

    /// Ids of commands whose result is stored.
    package var results: [String]
    /// Everything up to these positions is stored. A stream that is absent has not moved.
    package var positions: Positions

    package init(results: [String] = [], positions: Positions) {
        self.results = results
        self.positions = positions
    }

    package init(results: [String] = [], metrics: Int64? = nil, usage: Int64? = nil, events: Int64? = nil) {
        self.init(results: results, positions: Positions(metrics: metrics, usage: usage, events: events))
    }

    package var metrics: Int64? { positions.metrics }
    package var usage: Int64? { positions.usage }
    package var events: Int64? { positions.events }

    package init(reading fields: JSONObject) throws(FieldError) {
        results = try fields.ids("results")
        positions = try Positions(reading: fields)
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("results", results)
        positions.write(&fields)
    }
}
