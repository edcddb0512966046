import WireProtocol

/// Cuts a stream of JSON objects, one a line, at its line ends. A line beyond the limit is dropped.
struct JSONLines {
    private static let limit = 1 << 20
    private var line: [UInt8] = []
    private var isOverlong = false

    mutating func feed(_ bytes: [UInt8]) -> [JSONObject] {
        var objects: [JSONObject] = []
        for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if part.offset > 0 { objects += finish() }
            if line.count + part.element.count > Self.limit { isOverlong = true }
            if !isOverlong { line += part.element }
        }
        return objects
    }

    /// What stands after the last line end, or before the one just met.
    mutating func finish() -> [JSONObject] {
        defer { (line, isOverlong) = ([], false) }
        guard !isOverlong, !line.isEmpty else { return [] }
        return (try? JSONParser.parse(line))?.asObject.map { [$0] } ?? []
    }
}
