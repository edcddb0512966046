import Glibc
import TestSupport

/// What a daemon's log says from some moment on.
struct LogReader: Sendable {
    private let path: String
    private let start: Int

    init(_ path: String) {
        self.path = path
        var status = stat()
        start = stat(path, &status) == 0 ? status.st_size : 0
    }

    /// The whole lines since then, at most the first 64 MiB.
    var lines: [String] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        fseek(file, start, SEEK_SET)
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while bytes.count < 64 << 20, case let count = fread(&piece, 1, piece.count, file), count > 0 {
            bytes += piece.prefix(count)
        }
        let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes[..<$0] } ?? []
        return whole.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Waits for a line that has all these words in it.
    func says(_ words: String..., within limit: Duration = .seconds(30)) async -> Bool {
        await eventually(within: limit) { lines.contains { line in words.allSatisfy(line.contains) } }
    }

    func count(of words: String...) -> Int { lines.filter { line in words.allSatisfy(line.contains) }.count }
}
