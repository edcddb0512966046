/// The first line of a session: who the agent is and what it still holds.
package struct Hello: WireMessage {
    package static let type = "hello"
    /// Most receipts that one `hello` lists; the oldest come first and the rest with the next session.
    package static let maximumReceipts = 1000

    /// All versions that the agent speaks.
    package var `protocol`: [Int64]
    /// The agent's own version.
    package var agent: String
    package var node: String
    /// The kernel's boot id; another one means that the machine was restarted.
    package var boot: String
    /// When this agent process began, ms since 1970.
    package var started: Int64
    package var hostname: String
    package var os: OperatingSystem
    package var drivers: [DriverReport]
    /// Results that the controller has not acknowledged.
    package var receipts: [ReceiptReport]
    package var spool: SpoolReport

    package init(
        protocol: [Int64] = ProtocolVersion.supported, agent: String, node: String, boot: String, started: Int64,
        hostname: String, os: OperatingSystem, drivers: [DriverReport] = [], receipts: [ReceiptReport] = [],
        spool: SpoolReport
    ) {
        self.protocol = `protocol`
        self.agent = agent
        self.node = node
        self.boot = boot
        self.started = started
        self.hostname = hostname
        self.os = os
        self.drivers = drivers
        self.receipts = receipts
        self.spool = spool
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        `protocol` = try fields.integers("protocol", limit: 16)
        agent = try fields.name("agent", limit: 64)
        node = try fields.id("node")
        boot = try fields.id("boot")
        started = try fields.natural("started")
        hostname = try fields.name("hostname", limit: 253)
        os = try fields.nested("os", OperatingSystem.init(reading:))
        drivers = try fields.list("drivers", limit: 64, DriverReport.init(reading:))
        receipts = try fields.list("receipts", limit: Self.maximumReceipts, ReceiptReport.init(reading:))
        spool = try fields.nested("spool", SpoolReport.init(reading:))
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("protocol", `protocol`)
        fields.put("agent", agent)
        fields.put("node", node)
        fields.put("boot", boot)
        fields.put("started", started)
        fields.put("hostname", hostname)
        fields.put("os", os)
        fields.put("drivers", drivers)
        fields.put("receipts", receipts)
        fields.put("spool", spool)
    }
}
