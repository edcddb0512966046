import Glibc
import Model
import SQL
import SQLite
import Store
import TestSupport
import Testing

/// Every table of a store, row by row, as text.
private typealias Contents = [String: [String]]

/// Bytes of the store's file change behind its back.
@Suite(.timeLimit(.minutes(10))) struct StoreBytesTests {
    @Test func `a store with a flipped bit is refused or says so, and never gives another answer`() async throws {
        let sample = try await StoreSample()
        let harms = Harm.flips(Torture.choose(160, long: 6000), in: sample.bytes.count, seed: 3)
        let tally = try await sample.suffer(harms)
        print("store, flipped bits: \(tally)")
        #expect(tally.wrong.isEmpty, "\(tally.wrong)")
        #expect(tally.refused > harms.count / 2)
    }

    @Test func `a store with half a page or a part of the file missing is refused or says so`() async throws {
        let sample = try await StoreSample()
        let tally = try await sample.suffer(Harm.tears(in: sample.bytes.count))
        print("store, torn and cut: \(tally)")
        #expect(tally.wrong.isEmpty, "\(tally.wrong)")
    }

    @Test func `a refusal leaves every byte of a damaged store as it is`() async throws {
        let sample = try await StoreSample()
        // The first page is read at every opening; what lies in the middle may be a page that nothing is in.
        for harm in [Harm.flip(at: 2000, bit: 3), .cut(to: sample.bytes.count / 2)] {
            let damaged = harm(sample.bytes)
            try sample.folder.write(damaged, to: "damaged.sqlite")
            #expect(throws: StoreError.self) {
                try Store(path: sample.folder.file("damaged.sqlite"), options: StoreOptions(mustExist: true))
            }
            #expect(try sample.folder.read("damaged.sqlite") == damaged)
        }
    }
}

/// A store with something in each corner, as one file.
private struct StoreSample {
    let folder: ScratchFolder
    let bytes: [UInt8]
    let whole: Contents

    init() async throws {
        folder = try ScratchFolder("flips")
        let path = folder.file("whole.sqlite")
        try await StoreFilling.fill(path, services: 60)
        bytes = try folder.read("whole.sqlite")
        whole = try Self.contents(path)
    }

    struct Tally: CustomStringConvertible {
        var refused = 0
        var same = 0
        var wrong: [String] = []
        var description: String { "\(refused) refused, \(same) without effect, \(wrong.count) wrong" }
    }

    func suffer(_ harms: [Harm]) async throws -> Tally {
        var tally = Tally()
        for (number, harm) in harms.enumerated() {
            let name = "harmed-\(number).sqlite"
            try folder.write(harm(bytes), to: name)
            do {
                let store = try Store(path: folder.file(name), options: StoreOptions(mustExist: true))
                await store.close()
                // A store that opens is read to its last row, metrics too.
                if try Self.contents(folder.file(name)) == whole {
                    tally.same += 1
                } else {
                    tally.wrong.append("\(harm)")
                }
            } catch { tally.refused += 1 }
            for suffix in ["", "-wal", "-shm"] { unlink(folder.file(name + suffix)) }
        }
        return tally
    }

    private static func contents(_ path: String) throws -> Contents {
        let database = try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readWrite))
        defer { database.close() }
        let tables = try database.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
            (row) throws(SQLError) in try row.text()
        }
        var contents: Contents = [:]
        for table in tables {
            let columns = try database.query("SELECT name FROM pragma_table_info('\(table)')") {
                (row) throws(SQLError) in "quote(\"\(try row.text())\")"
            }
            contents[table] = try database.query(
                "SELECT \(columns.joined(separator: " || ',' || ")) FROM \"\(table)\" ORDER BY 1"
            ) { (row) throws(SQLError) in try row.text() }
        }
        return contents
    }
}
