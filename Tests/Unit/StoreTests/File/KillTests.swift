import Glibc
import Model
import SQL
import SQLite
import TestSupport
import Testing

@testable import Store

/// The same test program started once more, to be killed while it writes.
@Suite struct `A store whose process is killed` {
    static let variable = "INNKEEPER_STORE_TEST_VICTIM"

    /// Only in the second program: counts up two rows in one transaction, for ever.
    @Test(.enabled(if: getenv(variable) != nil))
    func victim() async throws {
        let store = try Store(path: String(cString: try #require(getenv(Self.variable))))
        let start = Timestamp(milliseconds: 1)
        for number in 1... {
            try await store.atomically { store throws(StoreError) in
                try store.setSetting("first", "\(number)")
                try store.audit(
                    AuditRecord(id: "a\(10_000_000 + number)", time: start, actor: "x", action: "y", subject: "z"))
                try store.setSetting("second", "\(number)")
            }
        }
    }

    @Test(.enabled(if: getenv(variable) == nil), arguments: [1, 40, 300])
    func `has every transaction whole or not at all`(rows: Int) async throws {
        let folder = try ScratchFolder("store")
        let path = folder.file("store.sqlite")
        let pid = try Self.startVictim(path)
        let hasBegun = await eventually(within: .seconds(120)) { (try? Self.rows(path)) ?? 0 >= rows }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        #expect(hasBegun)
        let store = try Store(path: path)
        let first = try await store.setting("first")
        #expect(try await store.setting("second") == first)
        #expect(try await store.countRows("audit") == Int(first ?? "0"))
        try await store.setSetting("first", "alive")
    }

    private static func rows(_ path: String) throws -> Int {
        let reader = try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readOnly))
        return try reader.first("SELECT count(*) FROM audit") { (row) throws(SQLError) in try row.int() } ?? 0
    }

    private static func startVictim(_ path: String) throws -> pid_t {
        // The program's own arguments choose the tests of this target; only `victim` does anything in it.
        var arguments = CommandLine.arguments
        while let index = arguments.firstIndex(of: "--filter") { arguments.removeSubrange(index...index + 1) }
        arguments += ["--filter", "victim"]
        var environment: [UnsafeMutablePointer<CChar>?] = []
        var next = environ
        while let entry = next.pointee {
            environment.append(strdup(entry))
            next += 1
        }
        environment += [strdup("\(variable)=\(path)"), nil]
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in environment + words { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var pid: pid_t = 0
        let code = posix_spawn(&pid, "/proc/self/exe", &actions, nil, &words, environment)
        try #require(code == 0)
        return pid
    }
}
