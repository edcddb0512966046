import Glibc
package import Logging

/// Log records as lines of `key=value` on standard error: time, level, part, message, then the metadata sorted by key.
///
/// Control characters are escaped, so that one record is always one line whatever a peer sent. Secrets have no way in:
/// nothing that carries one is described into a message or a metadata value.
package struct LogfmtHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let write: @Sendable (String) -> Void

    package init(
        label: String, level: Logger.Level = .info,
        write: @escaping @Sendable (String) -> Void = LogfmtHandler.writeToStandardError
    ) {
        self.label = label
        self.logLevel = level
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = "time=\(Self.time()) level=\(event.level.rawValue) part=\(Logfmt.value(label))"
        line += " msg=\(Logfmt.value(event.message.description))"
        var all = metadata
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(Logfmt.key(key))=\(Logfmt.value(value.description))"
        }
        write(line + "\n")
    }

    /// One write call a line, so that lines of several threads never mix.
    package static let writeToStandardError: @Sendable (String) -> Void = { line in
        var line = line
        line.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }

    private static func time() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let milliseconds = Int(now.tv_nsec / 1_000_000)
        let fraction = String(1000 + milliseconds).dropFirst()
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(fraction)Z"
    }
}
