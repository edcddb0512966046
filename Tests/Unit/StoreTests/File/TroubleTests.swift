import Glibc
import Model
import SQL
import SQLite
import TestSupport
import Testing
import WireProtocol

@testable import Store

@Suite struct `A store in trouble` {
    @Test func `that is full keeps what it has, says so, and goes on when there is room`() async throws {
        let fixture = try StoreFixture(StoreOptions(groupCommit: .milliseconds(1), maximumPages: 200))
        try await fixture.service()
        try await fixture.operation()
        var last: Int64 = 0
        var error: StoreError?
        while error == nil {
            do {
                let after = last
                last = try await fixture.store.appendJournal(
                    "op1", after: after, [.string(String(repeating: "x", count: 4000))], at: fixture.start
                ) { store throws(StoreError) in
                    try store.updateService("s1", at: fixture.start) { $0.generation = after + 1 }
                }
            } catch let thrown { error = thrown }
        }
        guard case .full = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.isRetryable == true)
        #expect(try await fixture.store.journal("op1").count == Int(last))
        #expect(try await fixture.store.service("s1")?.generation == last)
        // Metrics fail alike, and nothing of them is acknowledged.
        let names = (0..<3000).map { "series.with.a.rather.long.name.\($0)" }
        let taken = await failure {
            _ = try await fixture.store.take(
                Intake(
                    node: "n1", series: [SeriesSet(set: "s", names: names)],
                    samples: [SampleRow(seq: 1, time: fixture.start, set: "s", values: names.map { _ in 0.123456789 })])
            )
        }
        guard case .full = taken else {
            Issue.record("\(String(describing: taken))")
            return
        }
        #expect(try await fixture.store.positions(node: "n1") == Positions())
        await fixture.store.damage("PRAGMA max_page_count = 10000")
        try await fixture.store.appendJournal("op1", after: last, ["again"], at: fixture.start)
    }

    @Test func `of another program, of a newer version or no database at all is refused and left alone`() async throws {
        let folder = try ScratchFolder("store")
        let other = folder.file("other.sqlite")
        try SQLiteDatabase(path: other).execute("CREATE TABLE t (a INTEGER)")
        #expect(await failure { _ = try Store(path: other) } == .notAStore(other))

        let newer = folder.file("newer.sqlite")
        let store = try Store(path: newer)
        await store.damage("UPDATE schema_version SET version = 999")
        await store.close()
        let newest = Schema.migrations.last?.number ?? 0
        let error = await failure { _ = try Store(path: newer) }
        #expect(error == .newerSchema(newer, found: 999, supported: newest))
        #expect(error?.description.contains("install the newer version") == true)

        try folder.write(Array("nothing but text, and a good deal of it".utf8), to: "text.sqlite")
        guard case .corrupt(let cause) = await failure(of: { _ = try Store(path: folder.file("text.sqlite")) }) else {
            Issue.record("text was taken for a store")
            return
        }
        #expect(cause.contains("text.sqlite"))
        #expect(try folder.read("text.sqlite").count == 39)
        #expect(await failure { _ = try Store(path: folder.file("none/store.sqlite")) } != nil)
    }

    @Test func `with damage in a page is refused at the start, or says so when it is read`() async throws {
        let fixture = try StoreFixture()
        for number in 0..<400 { try await fixture.service("s\(number)") }
        await fixture.store.damage("PRAGMA wal_checkpoint(TRUNCATE)")
        await fixture.store.close()
        var bytes = try fixture.folder.read("store.sqlite")
        for index in bytes.count / 2..<bytes.count - 100 { bytes[index] ^= 0x5a }
        try fixture.folder.write(bytes, to: "store.sqlite")
        guard case .corrupt = await failure(of: { _ = try Store(path: fixture.path) }) else {
            Issue.record("damage was not found")
            return
        }
    }

    @Test func `that holds a row of nonsense says which column and lives on`() async throws {
        let fixture = try StoreFixture()
        try await fixture.service("s1")
        try await fixture.service("s2")
        await fixture.store.damage("UPDATE services SET spec = '{' WHERE id = 's1'")
        guard case .corrupt = await failure(of: { _ = try await fixture.store.service("s1") }) else {
            Issue.record("nonsense was read")
            return
        }
        await fixture.store.damage("UPDATE services SET spec = '{}', state = 'sleeping' WHERE id = 's1'")
        let error = await failure { _ = try await fixture.store.service("s1") }
        #expect(error?.description.contains("sleeping") == true)
        #expect(try await fixture.store.service("s2") != nil)
    }

    @Test func `is brought forward one migration at a time, and not at all when one fails`() throws {
        let folder = try ScratchFolder("store")
        let database = try SQLiteDatabase(path: folder.file("a.sqlite"))
        let first = Schema.Migration(number: 1, script: "CREATE TABLE a (x {bytes}); INSERT INTO a VALUES (x'00')")
        try Schema.bring(database, to: [first], name: "a")
        let broken = Schema.Migration(number: 2, script: "ALTER TABLE a ADD COLUMN y BIGINT; CREATE TABLE a (z TEXT)")
        #expect(throws: StoreError.self) { try Schema.bring(database, to: [first, broken], name: "a") }
        #expect(try Schema.version(of: database) == 1)
        #expect(throws: SQLError.self) { try database.run("SELECT y FROM a") }
        let second = Schema.Migration(number: 2, script: "ALTER TABLE a ADD COLUMN y BIGINT")
        let third = Schema.Migration(number: 3, script: "UPDATE a SET y = 7")
        try Schema.bring(database, to: [first, second, third], name: "a")
        try Schema.bring(database, to: [first, second, third], name: "a")
        #expect(try Schema.version(of: database) == 3)
        #expect(try database.first("SELECT y FROM a") { (row) throws(SQLError) in try row.int() } == 7)
    }

    @Test func `is copied while it is written, and the copy is a whole store`() async throws {
        let fixture = try StoreFixture()
        try await fixture.node()
        try await fixture.service()
        let writer = Task {
            var generation: Int64 = 0
            while !Task.isCancelled {
                generation += 1
                let next = generation
                try await fixture.store.atomically { store throws(StoreError) in
                    try store.updateService("s1", at: fixture.start) { $0.generation = next }
                    try store.setSetting("generation", "\(next)")
                }
            }
        }
        let keys = BackupContents.File(name: "ca.key", mode: 0o600, bytes: Array("a key that nobody may see".utf8))
        let contents = BackupContents(takenAt: fixture.start, files: [keys])
        for number in 0..<5 {
            let target = fixture.folder.file("copy\(number).sqlite")
            let report = try await Store.backup(from: fixture.path, to: target, with: contents)
            #expect(report.bytes == (try fixture.folder.read("copy\(number).sqlite").count))
            #expect(await failure { _ = try Store(path: target) } == .isBackup(target))
            #expect(try await Store.examine(backup: target) == contents)
            let unpacked = fixture.folder.file("unpacked\(number).sqlite")
            try await Store.unpack(backup: target, to: unpacked)
            #expect(try !fixture.folder.read("unpacked\(number).sqlite").contains(subsequence: keys.bytes))
            let copy = try Store(path: unpacked)
            let generation = try await copy.service("s1")?.generation
            #expect(try await copy.setting("generation") ?? "0" == "\(generation ?? -1)")
            #expect(try await copy.node("n1") != nil)
        }
        writer.cancel()
        try await writer.value
        let target = fixture.folder.file("copy0.sqlite")
        let again = await failure { _ = try await Store.backup(from: fixture.path, to: target, with: contents) }
        #expect(again?.description.contains("already") == true)
        _ = try await Store.backup(from: fixture.path, to: target, with: contents, replacing: true)
    }

    @Test func `lets other connections read while it writes`() async throws {
        let fixture = try StoreFixture()
        try await fixture.service()
        try await fixture.store.atomically { store throws(StoreError) in
            try store.updateService("s1", at: fixture.start) { $0.generation = 9 }
            let reader = try! SQLiteDatabase(path: fixture.path, options: SQLiteOptions(access: .readOnly))
            let seen = try? reader.first("SELECT generation FROM services") { (row) throws(SQLError) in
                try row.integer()
            }
            #expect(seen == 0)
        }
        #expect(try await fixture.store.service("s1")?.generation == 9)
    }
}

extension [UInt8] {
    fileprivate func contains(subsequence other: [UInt8]) -> Bool {
        indices.contains { self[$0...].starts(with: other) }
    }
}
