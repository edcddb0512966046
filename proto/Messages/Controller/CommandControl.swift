/// Asks to end a command: TERM to its process group, KILL after a grace. Its `result` says what came of it.
package struct Cancel: WireMessage {
    package static let type = "cancel"

    package var id: String
    package var reason: String

    package init(id: String, reason: String) {
        self.id = id
        self.reason = reason
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        reason = try fields.string("reason")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("reason", reason)
    }
}

/// Bytes for the standard input of a running command, or the size that its terminal has from now on.
package struct Input: WireMessage {
    package static let type = "input"
    /// Rows and columns that a terminal can have.
    package static let screenRange: ClosedRange<Int64> = 1...10_000

    package var id: String
    /// May be empty when `end` is true.
    package var data: [UInt8]
    /// Nothing follows.
    package var end: Bool
    /// How many bytes of the command's input came before these; bytes that came already are passed over. Nil means that
    /// they follow what came last.
    package var offset: Int64?
    /// With `columns`: the size of the command's terminal from now on.
    package var rows: Int64?
    package var columns: Int64?

    package init(
        id: String, data: [UInt8], end: Bool, offset: Int64? = nil, rows: Int64? = nil, columns: Int64? = nil
    ) {
        self.id = id
        self.data = data
        self.end = end
        self.offset = offset
        self.rows = rows
        self.columns = columns
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        data = try fields.base64("data")
        end = try fields.bool("end")
        offset = try fields.optionalNatural("offset")
        rows = try fields.optionalInteger("rows", in: Self.screenRange)
        columns = try fields.optionalInteger("columns", in: Self.screenRange)
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("data", Base64.encode(data))
        fields.put("end", end)
        fields.put("offset", offset)
        fields.put("rows", rows)
        fields.put("columns", columns)
    }
}

/// More credit for the output of a command.
package struct Window: WireMessage {
    package static let type = "window"

    package var id: String
    /// Bytes to add to what is left.
    package var credit: Int64

    package init(id: String, credit: Int64) {
        self.id = id
        self.credit = credit
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        credit = try fields.integer("credit", in: 1...Int64(1 << 30))
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("credit", credit)
    }
}
