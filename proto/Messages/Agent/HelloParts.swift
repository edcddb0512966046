/// What `/etc/os-release` and the kernel say of the machine.
package struct OperatingSystem: WireRecord {
    /// e.g. `debian`
    package var name: String
    /// e.g. `12`
    package var version: String
    package var kernel: String
    /// e.g. `x86_64`
    package var arch: String

    package init(name: String, version: String, kernel: String, arch: String) {
        self.name = name
        self.version = version
        self.kernel = kernel
        self.arch = arch
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        name = try fields.name("name", limit: 64)
        version = try fields.string("version")
        kernel = try fields.string("kernel")
        arch = try fields.name("arch", limit: 64)
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("name", name)
        fields.put("version", version)
        fields.put("kernel", kernel)
        fields.put("arch", arch)
    }
}

/// A driver that found its tool on the machine.
package struct DriverReport: WireRecord {
    package var name: String
    /// Version of the tool that it drives.
    package var version: String
    /// Names without the driver's, e.g. `container.ensure`; those that the node's policy allows.
    package var operations: [String]
    /// What placement wants to know: pools, capacities, engine versions.
    package var facts: JSONObject
    /// Everything that the driver can do here, also what the policy forbids. Nil from an agent that does not say it.
    package var catalogue: [ActionReport]?

    package init(
        name: String, version: String, operations: [String], facts: JSONObject = [:],
        catalogue: [ActionReport]? = nil
    ) {
        self.name = name
        self.version = version
        self.operations = operations
        self.facts = facts
        self.catalogue = catalogue
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        name = try fields.id("name")
        version = try fields.string("version")
        operations = try fields.ids("operations")
        facts = try fields.object("facts")
        catalogue = try fields.optionalList(
            "catalogue", limit: ActionReport.maximumCount, ActionReport.init(reading:))
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("name", name)
        fields.put("version", version)
        fields.put("operations", operations)
        fields.put("facts", facts)
        if let catalogue { fields.put("catalogue", catalogue) }
    }
}

/// A command whose receipt is on the agent's disk.
package struct ReceiptReport: WireRecord {
    /// The command's id.
    package var id: String
    package var status: CommandStatus

    package init(id: String, status: CommandStatus) {
        self.id = id
        self.status = status
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        status = try fields.code("status")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("status", status)
    }
}

/// What waits on the agent's disk to be sent again; nil where nothing does.
package struct SpoolReport: WireRecord {
    /// Names the agent's journal. A new journal has a new name, and its sequence numbers start at 1.
    package var epoch: String
    package var metrics: SpoolRange?
    package var usage: SpoolRange?
    package var events: SpoolRange?
    /// The last number of each stream that was given out in this epoch, 0 for none. What lies between the controller's
    /// position and the first that the agent still holds was stored once: a controller that has not got it has lost it.
    package var used: Positions?

    package init(
        epoch: String, metrics: SpoolRange? = nil, usage: SpoolRange? = nil, events: SpoolRange? = nil,
        used: Positions? = nil
    ) {
        self.epoch = epoch
        self.metrics = metrics
        self.usage = usage
        self.events = events
        self.used = used
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        epoch = try fields.id("epoch")
        metrics = try fields.optionalNested("metrics", SpoolRange.init(reading:))
        usage = try fields.optionalNested("usage", SpoolRange.init(reading:))
        events = try fields.optionalNested("events", SpoolRange.init(reading:))
        used = try fields.optionalNested("used", Positions.init(reading:))
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("epoch", epoch)
        fields.put("metrics", metrics)
        fields.put("usage", usage)
        fields.put("events", events)
        fields.put("used", used)
    }
}

/// Sequence numbers, both included; `first` is not above `last`.
package struct SpoolRange: WireRecord {
    package var first: Int64
    package var last: Int64

    package init(first: Int64, last: Int64) {
        self.first = first
        self.last = last
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        first = try fields.natural("first")
        last = try fields.integer("last", in: first...Int64.max)
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("first", first)
        fields.put("last", last)
    }
}
