/// All drivers of the node anew, in an open session: one was found, or has come back, since the `hello`, or what they tell of the
/// machine has changed. Without catalogues what they can do is what was told before.
package struct DriversReport: WireMessage {
    package static let type = "drivers"

    package var drivers: [DriverReport]

    package init(drivers: [DriverReport]) { self.drivers = drivers }

    package init(reading fields: JSONObject) throws(FieldError) {
        drivers = try fields.list("drivers", limit: 64, DriverReport.init(reading:))
    }

    package func write(_ fields: inout FieldWriter) { fields.put("drivers", drivers) }
}
