/// Something that happened on the node without an order: a container died, a pool degraded.
package struct NodeEvent: WireMessage {
    package static let type = "event"

    /// Position in the agent's stream of events, counting up over sessions and restarts.
    package var seq: Int64
    /// When it happened, ms since 1970.
    package var time: Int64
    package var driver: String
    package var resource: String?
    /// e.g. `container.died`
    package var kind: String
    package var data: JSONObject

    package init(
        seq: Int64, time: Int64, driver: String, resource: String? = nil, kind: String, data: JSONObject = [:]
    ) {
        self.seq = seq
        self.time = time
        self.driver = driver
        self.resource = resource
        self.kind = kind
        self.data = data
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        seq = try fields.natural("seq")
        time = try fields.natural("time")
        driver = try fields.id("driver")
        resource = try fields.optionalName("resource")
        kind = try fields.id("kind")
        data = try fields.object("data")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("seq", seq)
        fields.put("time", time)
        fields.put("driver", driver)
        fields.put("resource", resource)
        fields.put("kind", kind)
        fields.put("data", data)
    }
}
