import Glibc
import TestSupport
import SQL
import Testing

@testable import SQLite

@Suite struct `An SQLite connection` {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder("sqlite") }

    func open(_ name: String = "a.sqlite", _ options: SQLiteOptions = SQLiteOptions()) throws -> SQLiteDatabase {
        try SQLiteDatabase(path: folder.file(name), options: options)
    }

    @Test func `keeps values of every type, with empty, NUL and foreign characters`() throws {
        let database = try open()
        try database.execute("CREATE TABLE t (i INTEGER, r REAL, s TEXT, b BLOB, n TEXT)")
        let insert = "INSERT INTO t VALUES (?, ?, ?, ?, ?)"
        try database.run(insert, [Int64.min, -0.5, "a\u{0}ü🙂", [UInt8]([0, 255]), String?.none])
        try database.run(insert, [true, 1, "", [UInt8](), "x"])
        let rows = try database.query("SELECT i, r, s, b, n FROM t ORDER BY i") { (row) throws(SQLError) in
            (try row.integer(), try row.real(), try row.text(), try row.blob(), try row.optionalText())
        }
        #expect(rows.count == 2)
        #expect(rows[0] == (Int64.min, -0.5, "a\u{0}ü🙂", [0, 255], nil))
        #expect(rows[1] == (1, 1, "", [], "x"))
    }

    @Test func `throws on a column of another type and on a missing one`() throws {
        let database = try open()
        #expect(throws: SQLError.self) {
            _ = try database.first("SELECT 'x' AS name") { (row) throws(SQLError) in try row.integer() }
        }
        let missing = #expect(throws: SQLError.self) {
            _ = try database.first("SELECT NULL AS name") { (row) throws(SQLError) in try row.text() }
        }
        #expect(missing?.kind == .mismatch)
        #expect(missing?.message.contains("name") == true)
        let past = #expect(throws: SQLError.self) {
            _ = try database.first("SELECT 1") { (row) throws(SQLError) in (try row.integer(), try row.integer()) }
        }
        #expect(past?.kind == .mismatch)
    }

    @Test func `names the columns of a violated constraint`() throws {
        let database = try open()
        try database.execute(
            "CREATE TABLE t (id TEXT PRIMARY KEY, a INTEGER NOT NULL, b INTEGER CHECK (b > 0), UNIQUE (a, b))")
        try database.run("INSERT INTO t VALUES ('x', 1, 2)")
        func kind(_ sql: String) -> SQLError.Kind? {
            #expect(throws: SQLError.self) { try database.run(sql) }?.kind
        }
        #expect(kind("INSERT INTO t VALUES ('y', 1, 2)") == .constraint(.unique, table: "t", columns: ["a", "b"]))
        #expect(kind("INSERT INTO t VALUES ('x', 5, 2)") == .constraint(.primaryKey, table: "t", columns: ["id"]))
        #expect(kind("INSERT INTO t VALUES ('z', NULL, 2)") == .constraint(.notNull, table: "t", columns: ["a"]))
        #expect(kind("INSERT INTO t VALUES ('z', 3, 0)") == .constraint(.check, table: "", columns: []))
    }

    @Test func `commits a transaction whole or not at all, and an inner one on its own`() throws {
        let database = try open()
        try database.execute("CREATE TABLE t (i INTEGER)")
        struct Stop: SQLFailure { init() {}; init(_ error: SQLError) {} }
        #expect(throws: Stop.self) {
            try database.transaction(throwing: Stop.self) { () throws(Stop) in
                do throws(SQLError) { try database.run("INSERT INTO t VALUES (1)") } catch { throw Stop(error) }
                throw Stop()
            }
        }
        try database.transaction { () throws(SQLError) in
            try database.run("INSERT INTO t VALUES (2)")
            _ = try? database.transaction { () throws(SQLError) in
                try database.run("INSERT INTO t VALUES (3)")
                try database.run("no such statement")
            }
            try database.transaction { () throws(SQLError) in _ = try database.run("INSERT INTO t VALUES (4)") }
        }
        #expect(!database.isInTransaction)
        let kept = try database.query("SELECT i FROM t ORDER BY i") { (row) throws(SQLError) in try row.int() }
        #expect(kept == [2, 4])
    }

    @Test func `lets one text be used inside its own reading`() throws {
        let database = try open()
        let sql = "SELECT value FROM json_each('[1,2,3]')"
        var pairs = 0
        _ = try database.query(sql) { (_) throws(SQLError) in
            pairs += try database.query(sql) { (row) throws(SQLError) in try row.int() }.count
        }
        #expect(pairs == 9)
        let own = try database.prepare(sql)
        let nested = #expect(throws: SQLError.self) {
            try own.query { (_) throws(SQLError) in _ = try own.run() }
        }
        #expect(nested?.kind == .misuse)
        #expect(try own.run() >= 0)
    }

    @Test func `answers misuse with an error`() throws {
        let database = try open()
        func kind(_ body: () throws -> Void) -> SQLError.Kind? {
            #expect(throws: SQLError.self) { try body() }?.kind
        }
        #expect(kind { try database.run("SELECT ?", [1, 2]) } == .misuse)
        #expect(kind { try database.run("SELECT ?") } == .misuse)
        #expect(kind { try database.run("SELECT 1; SELECT 2") } == .misuse)
        #expect(kind { try database.run("") } == .misuse)
        #expect(kind { try database.run("SELECT \"nothing\"") } == .other)
        let statement = try database.prepare("SELECT 1 UNION SELECT 2")
        #expect(kind { try statement.query { (_) throws(SQLError) in database.close() } } == .closed)
        #expect(kind { try statement.run() } == .closed)
        #expect(kind { try database.run("SELECT 1") } == .closed)
        #expect(kind { try database.transaction { () throws(SQLError) in } } == .closed)
        #expect(kind { _ = try SQLiteDatabase(path: "") } == .cannotOpen)
    }

    @Test func `keeps its files private`() throws {
        let database = try open()
        try database.execute("CREATE TABLE t (i INTEGER)")
        for name in ["a.sqlite", "a.sqlite-wal"] {
            var facts = stat()
            #expect(stat(folder.file(name), &facts) == 0)
            #expect(facts.st_mode & 0o777 == 0o600)
        }
    }
}
