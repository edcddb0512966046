import Glibc

/// How many changes a database has taken, kept in a small file beside it.
///
/// SQLite cannot tell a database whose write-ahead log was lost from one that never had it; the agent would forget receipts
/// and run their commands again. The tally is written after each commit and without a sync of its own: it may lag behind
/// after a power cut, and never runs ahead.
final class Tally {
    private let path: String
    private let epoch: String
    private var file: Int32 = -1
    private static let width = 96

    /// - Parameter epoch: of the database; a tally of another one says nothing about it.
    init(of database: String, epoch: String) {
        path = Self.path(of: database)
        self.epoch = epoch
    }

    deinit { if file >= 0 { close(file) } }

    static func path(of database: String) -> String { "\(database).tally" }

    /// What was last written for this epoch, 0 for nothing.
    var count: Int64 {
        let reader = open(path, O_RDONLY | O_CLOEXEC)
        guard reader >= 0 else { return 0 }
        defer { close(reader) }
        var bytes = [UInt8](repeating: 0, count: Self.width)
        let length = max(0, read(reader, &bytes, bytes.count))
        let words = String(decoding: bytes[..<length], as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 2, words[0] == epoch else { return 0 }
        return Int64(words[1]) ?? 0
    }

    /// Best effort: a tally that cannot be written only says less.
    func write(_ count: Int64) {
        if file < 0 { file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) }
        guard file >= 0 else { return }
        var text = Array("\(epoch) \(count)".utf8)
        text += Array(repeating: 0x20, count: max(0, Self.width - 1 - text.count)) + [0x0A]
        _ = pwrite(file, text, text.count, 0)
    }
}
