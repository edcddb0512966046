/// New settings within a session; the agent takes them at once.
package struct Reconfigure: WireMessage {
    package static let type = "reconfigure"

    package var settings: Settings

    package init(settings: Settings) { self.settings = settings }

    package init(reading fields: JSONObject) throws(FieldError) {
        settings = try fields.nested("settings", Settings.init(reading:))
    }

    package func write(_ fields: inout FieldWriter) { fields.put("settings", settings) }
}
