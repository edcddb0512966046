/// A message of the link: what its `type` field says, and how it reads and writes the rest.
package protocol WireMessage: Sendable, Hashable {
    /// The value of `type`.
    static var type: String { get }
    init(reading fields: JSONObject) throws(FieldError)
    /// Writes the members after `type`, in the canonical order.
    func write(_ fields: inout FieldWriter)
}

/// A part of a message that is itself an object.
package protocol WireRecord: Sendable, Hashable {
    init(reading fields: JSONObject) throws(FieldError)
    func write(_ fields: inout FieldWriter)
}

/// Writes the members of one object. Absent optionals are left out.
package struct FieldWriter {
    var json: JSONWriter

    mutating func put(_ key: StaticString, _ value: String) {
        json.key(key)
        json.string(value)
    }

    mutating func put(_ key: StaticString, _ value: Int64) {
        json.key(key)
        json.integer(value)
    }

    mutating func put(_ key: StaticString, _ value: Bool) {
        json.key(key)
        json.raw(value ? "true" : "false")
    }

    mutating func put(_ key: StaticString, _ value: Double) {
        json.key(key)
        json.shortNumber(value)
    }

    mutating func put(_ key: StaticString, _ value: JSONObject) {
        json.key(key)
        json.object(value)
    }

    mutating func put(_ key: StaticString, _ value: some OpenCode) { put(key, value.code) }

    mutating func put(_ key: StaticString, _ value: String?) { if let value { put(key, value) } }
    mutating func put(_ key: StaticString, _ value: Int64?) { if let value { put(key, value) } }
    mutating func put(_ key: StaticString, _ value: Double?) { if let value { put(key, value) } }

    mutating func put(_ key: StaticString, _ values: [String]) {
        array(key, values) { $0.string($1) }
    }

    mutating func put(_ key: StaticString, _ values: [Int64]) {
        array(key, values) { $0.integer($1) }
    }

    mutating func put(_ key: StaticString, _ record: some WireRecord) {
        json.key(key)
        json.record(record)
    }

    mutating func put(_ key: StaticString, _ record: (some WireRecord)?) {
        if let record { put(key, record) }
    }

    mutating func put(_ key: StaticString, _ records: [some WireRecord]) {
        array(key, records) { $0.record($1) }
    }

    mutating func array<T>(_ key: StaticString, _ values: [T], _ write: (inout JSONWriter, T) -> Void) {
        json.key(key)
        json.open(0x5B)
        for value in values { json.element { write(&$0, value) } }
        json.close(0x5D)
    }
}

extension JSONWriter {
    mutating func record(_ record: some WireRecord) {
        open(0x7B)
        members { record.write(&$0) }
        close(0x7D)
    }

    mutating func message<M: WireMessage>(_ message: M) {
        open(0x7B)
        members { fields in
            fields.put("type", M.type)
            message.write(&fields)
        }
        close(0x7D)
    }

    /// Lends the buffer to a field writer.
    private mutating func members(_ body: (inout FieldWriter) -> Void) {
        var fields = FieldWriter(json: self.taken())
        body(&fields)
        self = fields.json
    }
}
