/// One typed order to a driver. Delivered at least once; its id makes it take effect at most once.
package struct Command: WireMessage {
    package static let type = "command"
    /// The highest generation. Below the highest number, so that whoever counts on from one can go on counting.
    package static let maximumGeneration: Int64 = 1 << 62

    /// The highest generation that a controller can have given by a time: a restoration of it begins above that of its
    /// second, and 2^40 more leave room for operations.
    /// - Parameters:
    ///   - time: ms since 1970.
    ///   - difference: seconds by which the giver's clock may be ahead.
    package static func newestGeneration(by time: Int64, ahead difference: Int64 = 0) -> Int64 {
        (min(max(time / 1000, 0), 1 << 37) + difference) << 24 + (1 << 40)
    }

    package var id: String
    /// What it works on: commands on one resource run in order, one at a time.
    package var resource: String
    /// Of the resource's wanted state; one below the last seen is refused.
    package var generation: Int64
    package var driver: String
    /// Without the driver's name: `container.ensure`.
    package var operation: String
    package var arguments: JSONObject
    /// Arguments that are never stored or logged; nil when there are none.
    package var secrets: JSONObject?
    /// Time the work may take from `accepted` on, in ms; the agent keeps it.
    package var deadlineMs: Int64
    /// Bytes of output that may be sent before the first `window`.
    package var window: Int64
    /// The operation that it belongs to.
    package var trace: String?
    /// The agent's journal (`hello.spool.epoch`) to which this order was first sent. An agent that has lost that journal
    /// cannot know whether the order was done, and refuses it.
    package var journal: String?
    /// Who asked for it, as the controller knows them; for the node's audit log alone.
    package var by: String?

    package init(
        id: String, resource: String, generation: Int64, driver: String, operation: String,
        arguments: JSONObject = [:], secrets: JSONObject? = nil, deadlineMs: Int64, window: Int64 = 65_536,
        trace: String? = nil, journal: String? = nil, by: String? = nil
    ) {
        self.id = id
        self.resource = resource
        self.generation = generation
        self.driver = driver
        self.operation = operation
        self.arguments = arguments
        self.secrets = secrets
        self.deadlineMs = deadlineMs
        self.window = window
        self.trace = trace
        self.journal = journal
        self.by = by
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        resource = try fields.name("resource")
        generation = try fields.integer("generation", in: 0...Self.maximumGeneration)
        driver = try fields.id("driver")
        operation = try fields.id("operation")
        arguments = try fields.object("arguments")
        secrets = try fields.optionalObject("secrets")
        deadlineMs = try fields.interval("deadline_ms")
        window = try fields.natural("window")
        trace = try fields.optionalID("trace")
        journal = try fields.optionalID("journal")
        by = try fields.optionalName("by", limit: 256)
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("resource", resource)
        fields.put("generation", generation)
        fields.put("driver", driver)
        fields.put("operation", operation)
        fields.put("arguments", arguments)
        if let secrets { fields.put("secrets", secrets) }
        fields.put("deadline_ms", deadlineMs)
        fields.put("window", window)
        fields.put("trace", trace)
        fields.put("journal", journal)
        fields.put("by", by)
    }
}
