import Logging
import Model
import Synchronization

/// What both sides logged, for the message of a test that fails.
final class HouseLog: Sendable {
    private let lines = Mutex<[String]>([])

    var tail: String { lines.withLock { $0.suffix(40).joined(separator: "\n") } }

    func logger(_ label: String) -> Logger { Logger(label: label) { Handler(label: $0, log: self) } }

    private struct Handler: LogHandler {
        let label: String
        let log: HouseLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = "\(Timestamp.now()) \(label) \(event.message) \(event.metadata ?? [:])"
            log.lines.withLock { $0.append(line) }
        }
    }
}
