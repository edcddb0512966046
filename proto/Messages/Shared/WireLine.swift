/// A line of one direction of the link: any of its messages.
package protocol WireLine: Sendable, Hashable {
    /// The `type` of every message that this build knows, in the order of the specification.
    static var types: [String] { get }
    /// - Parameter line: one line without its newline.
    init(decoding line: UnsafeRawBufferPointer) throws(WireError)
    /// Appends the canonical line, without its newline.
    func encode(into buffer: inout [UInt8])
}

/// What a direction adds to the common reading and writing.
protocol DirectedLine: WireLine {
    /// An unknown type is no error.
    init(type: String, reading fields: JSONObject) throws(FieldError)
    /// A message read without a tree; nil to take the ordinary way, which also finds the error.
    static func fast(_ line: UnsafeRawBufferPointer) -> Self?
    func write(_ json: inout JSONWriter)
}

extension DirectedLine {
    package init(decoding line: UnsafeRawBufferPointer) throws(WireError) {
        if let message = Self.fast(line) {
            self = message
            return
        }
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(line) } catch { throw .json(error) }
        guard case .object(let fields) = value else { throw .notAnObject }
        var type = ""
        do throws(FieldError) {
            let name = try fields.name("type", limit: 64)
            type = Self.types.contains(name) ? name : ""
            self = try Self(type: name, reading: fields)
        } catch {
            throw .field(message: type, error)
        }
    }

    package func encode(into buffer: inout [UInt8]) {
        JSONWriter.append(to: &buffer) { write(&$0) }
    }
}

extension WireLine {
    package init(decoding line: some Collection<UInt8>) throws(WireError) {
        self = try withBytes(of: line) { raw throws(WireError) in try Self(decoding: raw) }
    }

    /// The canonical line with its newline.
    package func line() -> [UInt8] {
        var buffer: [UInt8] = []
        encode(into: &buffer)
        buffer.append(0x0A)
        return buffer
    }
}
