import Glibc
import Synchronization
import TestSupport

/// Where a daemon is to die.
struct Strike: Sendable, Hashable {
    /// What is counted: SQLite's commits, or every call that changes a file.
    enum Scope: UInt32 { case commits, calls }

    enum Moment: UInt32, CaseIterable, CustomStringConvertible {
        /// Before its first byte is written.
        case before = 1
        /// In the middle of its last page.
        case torn
        /// When it is done and nobody has been told.
        case after
        /// As `before`, and what no sync has brought to the disk is lost, as when the power fails.
        case cut

        var description: String {
            switch self {
            case .before: "before"
            case .torn: "torn"
            case .after: "after"
            case .cut: "power cut before"
            }
        }
    }

    var scope = Scope.commits
    /// Texts that one statement of the commit, or the call's line, must have in it.
    var marks: [String]
    /// Which of those, from 1.
    var nth = 1
    var moment: Moment
}

/// The preloaded library in one daemon: it is told where to die and says what it saw.
final class Trap: Sendable {
    private let files: ScratchFolder
    private let shim: String
    private let watched: String
    private let generation = Mutex<UInt32>(0)

    /// - Parameter folder: writes below it count.
    init(watching folder: String) async throws {
        shim = try await Self.built.value
        watched = folder
        files = try ScratchFolder("trap")
        try files.write([UInt8](repeating: 0, count: Self.planSize), to: "plan")
        try files.write([], to: "log")
    }

    /// The words before a daemon's own.
    /// - Parameter checkpoint: pages of SQLite's log after which they go into the database.
    func wrapper(checkpoint: Int? = nil) -> [String] {
        [
            "/usr/bin/env", "LD_PRELOAD=\(shim)", "INNKEEPER_BLOW_FOLDER=\(watched)",
            "INNKEEPER_BLOW_PLAN=\(files.file("plan"))", "INNKEEPER_BLOW_LOG=\(files.file("log"))",
        ] + (checkpoint.map { ["INNKEEPER_BLOW_CHECKPOINT=\($0)"] } ?? [])
    }

    /// From now on events are noted and counted; at the strike's the daemon dies.
    func arm(_ strike: Strike) { set(strike.scope, strike.moment.rawValue, strike.nth, strike.marks) }

    /// From now on events are noted.
    func watch(_ scope: Strike.Scope = .commits) { set(scope, 0, 0, []) }

    func disarm() { write(words: [0], at: 0) }

    /// What was noted since, one line each: `S` a statement, `C` a commit, `R` none, `F` a call, `K` the end.
    var lines: [Substring] {
        let bytes = (try? files.read("log")) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// Whether the daemon has died of it. Its other threads may have said something after that.
    var hasSprung: Bool { lines.contains { $0.hasPrefix("K ") } }

    private static let markSize = 320
    private static let planSize = 16 + 3 * markSize

    private func set(_ scope: Strike.Scope, _ moment: UInt32, _ nth: Int, _ marks: [String]) {
        disarm()
        truncate(files.file("log"), 0)
        var texts: [UInt8] = []
        for mark in (marks + ["", "", ""]).prefix(3) {
            let bytes = Array(mark.utf8.prefix(Self.markSize - 1))
            texts += bytes + [UInt8](repeating: 0, count: Self.markSize - bytes.count)
        }
        write(texts, at: 16)
        write(words: [scope.rawValue, moment, UInt32(nth)], at: 4)
        let next = generation.withLock { generation in
            generation += 1
            return generation
        }
        write(words: [next], at: 0)
    }

    private func write(words: [UInt32], at offset: Int) {
        write(words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }, at: offset)
    }

    private func write(_ bytes: [UInt8], at offset: Int) {
        let descriptor = open(files.file("plan"), O_WRONLY | O_CLOEXEC)
        defer { close(descriptor) }
        _ = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    }

    /// Built once, by the C compiler that comes with the Swift toolchain.
    private static let built = Task {
        let source = #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/Shim/blow.c"
        let folder = try builds.get()
        try await BackgroundProgram.run(
            "clang", ["-Wall", "-O1", "-shared", "-fPIC", "-o", folder.file("blow.so"), source, "-ldl"],
            log: folder.file("build.log"))
        return folder.file("blow.so")
    }

    private static let builds = Result { try ScratchFolder("blow") }
}
