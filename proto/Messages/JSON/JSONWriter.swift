/// Appends canonical JSON to a buffer: no spaces, members in the order given, numbers in their shortest form.
struct JSONWriter {
    /// Ends in whole values; a caller takes it back when done.
    private(set) var bytes: [UInt8]

    /// Runs `body` with a writer on the caller's buffer, without copying it.
    static func append(to buffer: inout [UInt8], _ body: (inout JSONWriter) -> Void) {
        var writer = JSONWriter(bytes: buffer.taken())
        body(&writer)
        buffer = writer.bytes
    }

    /// Writes what separates this value or member from the one before it.
    @inline(__always)
    private mutating func separate() {
        switch bytes.last {
        case 0x7B, 0x5B, 0x3A: break  // { [ :
        default: bytes.append(0x2C)
        }
    }

    mutating func raw(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// Digits as `Double.description` gives them; JSON has no infinity and no NaN, they become `null`.
    mutating func raw(number digits: Substring.UTF8View, finite: Bool) {
        if finite { bytes.append(contentsOf: digits) } else { raw("null") }
    }

    mutating func key(_ name: StaticString) {
        separate()
        bytes.append(0x22)
        raw(name)
        raw("\":")
    }

    mutating func open(_ bracket: UInt8) { bytes.append(bracket) }
    mutating func close(_ bracket: UInt8) { bytes.append(bracket) }

    mutating func element(_ body: (inout JSONWriter) -> Void) {
        separate()
        body(&self)
    }
}

// MARK: - Values

extension JSONWriter {
    mutating func value(_ value: JSONValue, sortingKeys: Bool = false) {
        switch value {
        case .null: raw("null")
        case .bool(let value): raw(value ? "true" : "false")
        case .integer(let value): integer(value)
        case .number(let value): number(value)
        case .string(let value): string(value)
        case .array(let elements):
            open(0x5B)
            for element in elements { self.element { $0.value(element, sortingKeys: sortingKeys) } }
            close(0x5D)
        case .object(let members): object(members, sortingKeys: sortingKeys)
        }
    }

    mutating func object(_ object: JSONObject, sortingKeys: Bool = false) {
        let members = sortingKeys ? object.members.sorted { $0.key < $1.key } : object.members
        open(0x7B)
        for member in members {
            element { writer in
                writer.string(member.key)
                writer.open(0x3A)
                writer.value(member.value, sortingKeys: sortingKeys)
            }
        }
        close(0x7D)
    }

    mutating func integer(_ value: Int64) {
        if value < 0 { bytes.append(0x2D) }
        var rest = value.magnitude
        guard rest >= 10 else { return bytes.append(0x30 + UInt8(truncatingIfNeeded: rest)) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            while rest > 0 {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                start -= 1
                digits[start] = 0x30 + UInt8(truncatingIfNeeded: digit)
                rest = quotient
            }
            bytes.append(contentsOf: digits[start..<20])
        }
    }

    /// The shortest digits that read back to the same double, with `.0` when whole so that it stays a `number`.
    mutating func number(_ value: Double) {
        raw(number: value.description[...].utf8, finite: value.isFinite)
    }
}

extension JSONWriter {
    mutating func string(_ text: String) {
        bytes.append(0x22)
        let written: Void? = text.utf8.withContiguousStorageIfAvailable { escaped($0) }
        if written == nil { Array(text.utf8).withUnsafeBufferPointer { escaped($0) } }
        bytes.append(0x22)
    }

    /// Copies runs that need no escape in one piece.
    private mutating func escaped(_ text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        for index in text.indices where text[index] < 0x20 || text[index] == 0x22 || text[index] == 0x5C {
            bytes.append(contentsOf: text[start..<index])
            escape(text[index])
            start = index + 1
        }
        bytes.append(contentsOf: text[start...])
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22: raw("\\\"")
        case 0x5C: raw("\\\\")
        case 0x08: raw("\\b")
        case 0x09: raw("\\t")
        case 0x0A: raw("\\n")
        case 0x0C: raw("\\f")
        case 0x0D: raw("\\r")
        default:
            raw("\\u00")
            for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
        }
    }
}

extension JSONWriter {
    /// Moves the writer out, leaving an empty one, so that the buffer stays uniquely owned.
    mutating func taken() -> JSONWriter { JSONWriter(bytes: bytes.taken()) }
}

extension Array {
    /// Moves the contents out, so that the storage stays uniquely owned.
    mutating func taken() -> Self {
        var result: Self = []
        swap(&self, &result)
        return result
    }
}

extension JSONValue {
    /// Appends the canonical form: no spaces, members in order, shortest numbers. NaN and infinities become `null`.
    package func encode(into buffer: inout [UInt8]) {
        JSONWriter.append(to: &buffer) { $0.value(self) }
    }

    /// The same with the members of every object sorted by key, for digests that must not depend on their order.
    package func encodeSorted(into buffer: inout [UInt8]) {
        JSONWriter.append(to: &buffer) { $0.value(self, sortingKeys: true) }
    }

    package var encoded: [UInt8] {
        var buffer: [UInt8] = []
        encode(into: &buffer)
        return buffer
    }

    package var text: String { String(decoding: encoded, as: UTF8.self) }
}

extension JSONObject {
    package func encode(into buffer: inout [UInt8]) { JSONValue.object(self).encode(into: &buffer) }
    package var encoded: [UInt8] { JSONValue.object(self).encoded }
    package var text: String { JSONValue.object(self).text }

    /// An object and nothing else.
    package init(parsing text: String, limits: JSONLimits = .wire) throws(JSONError) {
        guard case .object(let object) = try JSONParser.parse(text, limits: limits) else {
            throw JSONError(.unexpected, at: 0)
        }
        self = object
    }
}
