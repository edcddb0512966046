import DriverKit

/// Which lines of a container's output are wanted.
struct LogQuery: Sendable {
    let follows: Bool
    /// As the engine takes it.
    let pairs: [(String, String)]

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        let tail = try reader.optionalInteger("tail", in: 0...1_000_000) ?? 100
        follows = try reader.bool("follow", default: false)
        var pairs = [
            ("stdout", "1"), ("stderr", "1"), ("tail", String(tail)), ("follow", follows ? "1" : "0"),
            ("timestamps", try reader.bool("timestamps", default: false) ? "1" : "0"),
        ]
        // Milliseconds since 1970; the engine wants seconds with a fraction.
        for key in ["since", "until"] {
            if let time = try reader.optionalInteger(key, in: 0...253_402_300_799_999) {
                let rest = String(1000 + time % 1000).dropFirst()
                pairs.append((key, "\(time / 1000).\(rest)"))
            }
        }
        self.pairs = pairs
    }
}
