/// How often the agent speaks, all in milliseconds. Part of `welcome`; sent alone as `reconfigure`.
package struct Settings: WireRecord {
    package var heartbeatMs: Int64
    package var sampleMs: Int64
    package var inventoryMs: Int64

    package init(heartbeatMs: Int64 = 5_000, sampleMs: Int64 = 10_000, inventoryMs: Int64 = 300_000) {
        self.heartbeatMs = heartbeatMs
        self.sampleMs = sampleMs
        self.inventoryMs = inventoryMs
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        heartbeatMs = try fields.interval("heartbeat_ms")
        sampleMs = try fields.interval("sample_ms")
        inventoryMs = try fields.interval("inventory_ms")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("heartbeat_ms", heartbeatMs)
        fields.put("sample_ms", sampleMs)
        fields.put("inventory_ms", inventoryMs)
    }
}

/// The last sequence number of each stream that the controller has stored; nil when it has none.
package struct Positions: WireRecord {
    package var metrics: Int64?
    package var usage: Int64?
    package var events: Int64?

    package init(metrics: Int64? = nil, usage: Int64? = nil, events: Int64? = nil) {
        self.metrics = metrics
        self.usage = usage
        self.events = events
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        metrics = try fields.optionalNatural("metrics")
        usage = try fields.optionalNatural("usage")
        events = try fields.optionalNatural("events")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("metrics", metrics)
        fields.put("usage", usage)
        fields.put("events", events)
    }
}
