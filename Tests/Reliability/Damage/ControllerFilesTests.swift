import Processes
import Glibc
import SQL
import SQLite
import Store
import TestSupport
import Testing

/// A controller starts on a data folder to which something has happened: it goes on right, or it refuses in one sentence
/// that names the file and what to do, and leaves everything as it is.
@Suite(.timeLimit(.minutes(10))) struct ControllerFilesTests {
    @Test(arguments: ["controller.sqlite", "ca.key", "ca.pem", "server.names"])
    func `a file that cannot be made again is missed`(name: String) async throws {
        let folder = try await ControllerFolder()
        folder.remove(name)
        try await expectRefusal(folder, naming: [name, "restore"])
        let initialised = try await folder.command("init")
        #expect(!initialised.succeeded)
        #expect(initialised.exit == .code(1))
    }

    @Test func `files that can be made again are made again`() async throws {
        let folder = try await ControllerFolder()
        for name in ["server.pem", "server.key", "tickets.key", "controller.mark"] { folder.remove(name) }
        #expect(try await folder.attempt() == .runs)
        try folder.write(Array("no key at all".utf8), to: "server.key")
        try folder.write(Array("nothing".utf8), to: "tickets.key")
        #expect(try await folder.attempt() == .runs)
    }

    @Test func `an empty, a cut and a torn store are refused`() async throws {
        let folder = try await ControllerFolder()
        let whole = try folder.read("controller.sqlite")
        for harm in [Harm.cut(to: 0), .cut(to: 4096 * 3 + 2048), .torn(at: 6144, to: 8192), .flip(at: 20, bit: 3)] {
            try folder.write(harm(whole), to: "controller.sqlite")
            try await expectRefusal(folder, naming: ["controller.sqlite", "restore"])
        }
    }

    @Test func `a store of a newer version is refused, and both versions are named`() async throws {
        let folder = try await ControllerFolder()
        let database = try SQLiteDatabase(path: "\(folder.data)/controller.sqlite")
        let known = try database.first("SELECT version FROM schema_version") { (row) throws(SQLError) in
            try row.int()
        }
        try database.execute("UPDATE schema_version SET version = 999")
        database.close()
        try await expectRefusal(folder, naming: ["controller.sqlite", "999", "\(known ?? -1)", "newer version"])
    }

    @Test func `commits that were lost with the write-ahead log are missed`() async throws {
        let folder = try await ControllerFolder()
        var before: [UInt8] = []
        let outcome = try await folder.attempt(kill: true) {
            before = try folder.read("controller.sqlite")
            let isMarked = await eventually { (try? folder.read("controller.mark").count) ?? 0 > 4 }
            #expect(isMarked)
        }
        #expect(outcome == .runs)
        let (main, log) = (try folder.read("controller.sqlite"), try folder.read("controller.sqlite-wal"))
        try #require(log.count > 4096)

        // A lost index of the log is made anew.
        folder.remove("controller.sqlite-shm")
        let whole = try folder.files()
        for harm in [Harm.cut(to: 0), .cut(to: 32 + 2048), .flip(at: 32 + 24 + 200, bit: 1), .flip(at: 3, bit: 1)] {
            try folder.write(main, to: "controller.sqlite")
            try folder.write(harm(log), to: "controller.sqlite-wal")
            folder.remove("controller.sqlite-shm")
            let refused = try await folder.attempt()
            #expect(refused.sentence.contains("controller.sqlite-wal"), "\(harm): \(refused)")
            #expect(refused.sentence.contains("recover"), "\(harm): \(refused)")
        }
        for (name, bytes) in whole { try folder.write(bytes, to: name) }
        folder.remove("controller.sqlite-wal")
        #expect(try await folder.attempt().sentence.contains("older than it was"))
        let recovered = try await folder.command("recover")
        #expect(recovered.succeeded, "\(recovered.errorText)")
        #expect(try await folder.attempt() == .runs)
        #expect(!before.isEmpty)
    }

    @Test func `on a disk that cannot be written it says so`() async throws {
        let folder = try await ControllerFolder()
        let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\""
        let launcher = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, folder.data]
        let before = try folder.files()
        let refused = try await folder.attempt(launcher: launcher)
        #expect(refused.sentence.contains(folder.data) && refused.sentence.contains("Read-only"), "\(refused)")
        #expect(try folder.files() == before)
        #expect(try await folder.attempt() == .runs)
    }

    @Test func `keys and certificates of the authority are used as they were made, or not at all`() async throws {
        let folder = try await ControllerFolder()
        var dice = SeededGenerator(seed: 11)
        for name in ["ca.pem", "ca.key"] {
            let whole = try folder.read(name)
            for _ in 0..<Torture.choose(3, long: 60) {
                // Within the base 64 text: the lines around it are only words.
                let place = Int.random(in: 60..<whole.count - 40, using: &dice)
                try folder.write(Harm.flip(at: place, bit: 1)(whole), to: name)
                let refused = try await folder.attempt()
                #expect(refused.sentence.contains(name), "byte \(place) of \(name): \(refused)")
            }
            try folder.write(whole, to: name)
        }
        #expect(try await folder.attempt() == .runs)
    }

    private func expectRefusal(
        _ folder: ControllerFolder, naming words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try folder.files(logs: false)
        let refused = try await folder.attempt()
        for word in words {
            #expect(refused.sentence.contains(word), "\(refused) does not name \(word)", sourceLocation: sourceLocation)
        }
        let after = try folder.files(logs: false)
        #expect(after == before, "files were changed", sourceLocation: sourceLocation)
    }
}
