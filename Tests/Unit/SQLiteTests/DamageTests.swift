import Glibc
import TestSupport
import SQL
import Testing

@testable import SQLite

/// What the disk and other processes do to a database.
@Suite struct `A database in trouble` {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder("sqlite") }
    var path: String { folder.file("a.sqlite") }

    func filled(_ options: SQLiteOptions = SQLiteOptions()) throws -> SQLiteDatabase {
        let database = try SQLiteDatabase(path: path, options: options)
        try database.execute("CREATE TABLE t (i INTEGER PRIMARY KEY, b BLOB)")
        return database
    }

    func count(_ database: SQLiteDatabase) throws -> Int? {
        try database.first("SELECT count(*) FROM t") { (row) throws(SQLError) in try row.int() }
    }

    @Test func `says that it is full, keeps what was committed and goes on when there is room`() throws {
        let database = try filled(SQLiteOptions(maximumPages: 20))
        var stored = 0
        let error = #expect(throws: SQLError.self) {
            while true {
                try database.transaction { () throws(SQLError) in
                    _ = try database.run("INSERT INTO t (b) VALUES (?)", [[UInt8](repeating: 7, count: 3000)])
                }
                stored += 1
            }
        }
        #expect(error?.isFull == true)
        #expect(!database.isInTransaction)
        #expect(stored > 0)
        #expect(try count(database) == stored)
        try database.execute("PRAGMA max_page_count = 1000")
        try database.run("INSERT INTO t (b) VALUES (?)", [[UInt8](repeating: 7, count: 3000)])
        #expect(try count(database) == stored + 1)
    }

    @Test(arguments: [0, 1, 15, 16, 99, 100, 4095])
    func `refuses a file that is no database`(length: Int) throws {
        try folder.write(
            Array("This is a text and no database. ".utf8) + [UInt8](repeating: 65, count: length), to: "a.sqlite")
        let error = #expect(throws: SQLError.self) { _ = try SQLiteDatabase(path: path) }
        #expect(error?.isCorrupt == true)
        #expect(error?.message.contains(path) == true)
    }

    @Test func `finds damage in the pages at open, or later without a trap`() throws {
        let database = try filled()
        for _ in 0..<100 { try database.run("INSERT INTO t (b) VALUES (?)", [[UInt8](repeating: 7, count: 3000)]) }
        try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        var bytes = try folder.read("a.sqlite")
        for index in stride(from: 4096, to: bytes.count, by: 3) { bytes[index] ^= 0x5a }
        try folder.write(bytes, to: "a.sqlite")
        let error = #expect(throws: SQLError.self) {
            _ = try SQLiteDatabase(path: path, options: SQLiteOptions(quickCheck: true))
        }
        #expect(error?.isCorrupt == true)
        let later = #expect(throws: SQLError.self) { _ = try count(SQLiteDatabase(path: path)) }
        #expect(later?.isCorrupt == true)
    }

    @Test func `survives every byte of its first page being changed`() throws {
        try filled().close()
        let whole = try folder.read("a.sqlite")
        for index in stride(from: 0, to: min(whole.count, 4096), by: 7) {
            var bytes = whole
            bytes[index] ^= 0xff
            try folder.write(bytes, to: "a.sqlite")
            // An error or an answer, both are right: the process must live.
            _ = try? count(SQLiteDatabase(path: path, options: SQLiteOptions(quickCheck: true)))
            for rest in ["-wal", "-shm", "-journal"] { unlink(path + rest) }
        }
    }

    @Test func `is read-only when opened so, and says what cannot be opened`() throws {
        try filled().close()
        let reader = try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readOnly))
        let error = #expect(throws: SQLError.self) { try reader.run("INSERT INTO t (b) VALUES (NULL)") }
        #expect(error?.isReadOnly == true)
        for path in [folder.path, folder.file("none/a.sqlite")] {
            let error = #expect(throws: SQLError.self) { _ = try SQLiteDatabase(path: path) }
            #expect(error?.kind == .cannotOpen)
        }
    }

    @Test func `is busy while another connection writes, and readers go on`() throws {
        let writer = try filled()
        let other = try SQLiteDatabase(path: path, options: SQLiteOptions(busyTimeout: .milliseconds(20)))
        try writer.transaction { () throws(SQLError) in
            try writer.run("INSERT INTO t (b) VALUES (NULL)")
            let error = #expect(throws: SQLError.self) { try other.run("INSERT INTO t (b) VALUES (NULL)") }
            #expect(error?.isBusy == true)
            #expect((try? count(other)) == 0)
        }
        #expect(try count(other) == 1)
    }

    @Test func `copies itself while it is written, into a new file only`() throws {
        let database = try filled()
        // More than the cache of the copy holds.
        try database.transaction { () throws(SQLError) in
            for _ in 0..<2000 { try database.run("INSERT INTO t (b) VALUES (?)", [[UInt8](repeating: 7, count: 3000)]) }
        }
        let reader = try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readOnly))
        try database.transaction { () throws(SQLError) in
            try database.run("INSERT INTO t (b) VALUES (NULL)")
            try reader.backup(to: folder.file("copy.sqlite"))
        }
        let copy = try SQLiteDatabase(path: folder.file("copy.sqlite"), options: SQLiteOptions(quickCheck: true))
        #expect(try count(copy) == 2000)
        #expect(try count(database) == 2001)
        let again = #expect(throws: SQLError.self) { try database.backup(to: folder.file("copy.sqlite")) }
        #expect(again?.message.contains("already") == true)
        #expect(throws: SQLError.self) { try database.backup(to: folder.file("none/copy.sqlite")) }
        #expect(access(folder.file("copy.sqlite.partial"), F_OK) != 0)
    }
}
