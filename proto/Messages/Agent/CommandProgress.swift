/// How far a running command is. Best effort: none is sent again.
package struct CommandProgress: WireMessage {
    package static let type = "progress"

    package var id: String
    package var message: String
    /// From 0 to 1, where the work can tell.
    package var fraction: Double?

    /// - Parameter fraction: cut to 0…1; not a number counts as not known.
    package init(id: String, message: String, fraction: Double? = nil) {
        self.id = id
        self.message = message
        self.fraction = fraction.flatMap { $0.isNaN ? nil : min(max($0, 0), 1) }
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        message = try fields.string("message")
        fraction = try fields.optionalNumber("fraction")
        guard (0...1).contains(fraction ?? 0) else {
            throw FieldError(path: "fraction", problem: .value(expected: "from 0 to 1"))
        }
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("message", message)
        fields.put("fraction", fraction)
    }
}
