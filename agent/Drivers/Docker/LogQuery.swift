import DriverKit

/// Which lines of a container's output are wanted.
struct LogQuery: Sendable {
    let follows: Bool
    /// As the engine takes it.
    let pairs: [(String, String)]

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        let tail = try reader.integer("tail")
        follows = try reader.bool("follow")
        var pairs = [
            ("stdout", "1"), ("stderr", "1"), ("tail", String(tail)), ("follow", follows ? "1" : "0"),
            ("timestamps", try reader.bool("timestamps") ? "1" : "0"),
        ]
        // Milliseconds since 1970; the engine wants seconds with a fraction.
        for key in ["since", "until"] {
            if let time = try reader.optionalInteger(key) {
                let rest = String(1000 + time % 1000).dropFirst()
                pairs.append((key, "\(time / 1000).\(rest)"))
            }
        }
        self.pairs = pairs
    }
}
