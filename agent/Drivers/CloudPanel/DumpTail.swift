import Synchronization

/// The last bytes of a dump that goes by.
final class DumpTail: Sendable {
    private static let size = 512
    private let bytes = Mutex<[UInt8]>([])

    func append(_ more: [UInt8]) {
        bytes.withLock { kept in
            kept.append(contentsOf: more.suffix(Self.size))
            if kept.count > Self.size { kept.removeFirst(kept.count - Self.size) }
        }
    }

    /// Whether the last line is the one that `mysqldump` writes when it has come to its end.
    var isComplete: Bool {
        let text = bytes.withLock { String(decoding: $0, as: UTF8.self) }
        return text.split(whereSeparator: \.isNewline).last?.hasPrefix("-- Dump completed") ?? false
    }
}
