/// The answer to `hello`: the session begins.
package struct Welcome: WireMessage {
    package static let type = "welcome"

    /// The version of this session, one that `hello` offered.
    package var `protocol`: Int64
    package var session: String
    package var settings: Settings
    /// The controller's clock, ms since 1970, so that the agent can warn of a wrong one.
    package var time: Int64
    /// What the controller has stored already and need not be sent again.
    package var ack: Positions

    package init(
        protocol: Int64 = ProtocolVersion.current, session: String, settings: Settings = Settings(), time: Int64,
        ack: Positions = Positions()
    ) {
        self.protocol = `protocol`
        self.session = session
        self.settings = settings
        self.time = time
        self.ack = ack
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        `protocol` = try fields.integer("protocol", in: 1...Int64.max)
        session = try fields.id("session")
        settings = try fields.nested("settings", Settings.init(reading:))
        time = try fields.natural("time")
        ack = try fields.nested("ack", Positions.init(reading:))
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("protocol", `protocol`)
        fields.put("session", session)
        fields.put("settings", settings)
        fields.put("time", time)
        fields.put("ack", ack)
    }
}
