@testable import AgentCore
import Glibc
import Model
import SQL
import SQLite
import TestSupport
import Testing
import WireProtocol

/// The agent's journal and spool, harmed while no agent runs. An agent always starts; what it no longer knows for certain
/// it forgets as a whole, under a new epoch, so that no order of before is run again.
@Suite(.timeLimit(.minutes(10))) struct AgentFilesTests {
    @Test(arguments: ["journal.sqlite", "spool.sqlite"])
    func `flipped bits and torn pages are either without effect or begin a new epoch`(name: String) async throws {
        let sample = try await AgentSample()
        let length = try sample.folder.read(name).count
        let harms =
            Harm.flips(Torture.choose(60, long: 3000), in: length, seed: 5) + Harm.tears(in: length)
        var (anew, same) = (0, 0)
        for harm in harms {
            let state = try await sample.reopen { try $0.write(harm(try $0.read(name)), to: name) }
            if state.epoch == sample.epoch {
                same += 1
                #expect(state.receipts == sample.receipts, "\(harm)")
                #expect(state.reports == sample.reports, "\(harm)")
            } else {
                anew += 1
                #expect(state.setAside.contains { $0.contains(name) }, "\(harm)")
                if name.hasPrefix("spool") { #expect(state.receipts == sample.receipts, "\(harm)") }
            }
        }
        print("\(name): \(anew) new epochs, \(same) without effect")
        #expect(anew > harms.count / 2)
    }

    @Test(arguments: ["journal.sqlite", "spool.sqlite"])
    func `a lost, emptied or damaged write-ahead log begins a new epoch`(name: String) async throws {
        let sample = try await AgentSample(killed: true)
        let log = try sample.folder.read("\(name)-wal")
        try #require(log.count > 4096)
        let whole = try await sample.reopen { _ in }
        #expect(whole.epoch == sample.epoch)
        #expect(whole.receipts == sample.receipts)
        let shared = try await sample.reopen { unlink($0.file("\(name)-shm")) }
        #expect(shared.epoch == sample.epoch)
        for harm in [Harm.cut(to: 0), .cut(to: 32 + 2048), .flip(at: 2, bit: 0), .flip(at: 300, bit: 4)] {
            let state = try await sample.reopen { try $0.write(harm(log), to: "\(name)-wal") }
            #expect(state.epoch != sample.epoch, "\(harm)")
        }
        let gone = try await sample.reopen { unlink($0.file("\(name)-wal")) }
        #expect(gone.epoch != sample.epoch)
    }

    @Test(arguments: ["journal.sqlite", "spool.sqlite"])
    func `a missing file begins a new epoch and is reported`(name: String) async throws {
        let sample = try await AgentSample()
        let state = try await sample.reopen { folder in
            for suffix in ["", "-wal", "-shm"] { unlink(folder.file(name + suffix)) }
        }
        #expect(state.epoch != sample.epoch)
        #expect(state.setAside.contains { $0.contains(name) })
    }

    @Test func `a journal of a newer version is refused and left alone, an older one is brought forward`() async throws
    {
        let sample = try await AgentSample()
        let newer = try SQLiteDatabase(path: sample.folder.file("journal.sqlite"))
        try newer.execute("UPDATE about SET version = 99")
        newer.close()
        let before = try sample.folder.read("journal.sqlite")
        let error = await #expect(throws: SQLError.self) { _ = try await sample.reopen { _ in } }
        for word in ["journal.sqlite", "99", "newer version"] { #expect(error?.message.contains(word) == true) }
        #expect(try sample.folder.read("journal.sqlite") == before)

        let older = try SQLiteDatabase(path: sample.folder.file("journal.sqlite"))
        try older.execute("UPDATE about SET version = 1; ALTER TABLE about DROP COLUMN writes")
        older.close()
        let state = try await sample.reopen { unlink($0.file("journal.sqlite.tally")) }
        #expect(state.epoch == sample.epoch && state.receipts == sample.receipts)
    }

    @Test func `every flipped bit of the identity is noticed`() throws {
        let scratch = try ScratchFolder("identity")
        let data = try scratch.identity()
        let whole = try scratch.read("data/identity.json")
        for harm in Harm.flips(Torture.choose(200, long: 8000), in: whole.count, seed: 9) + Harm.tears(in: whole.count)
        {
            try scratch.write(harm(whole), to: "data/identity.json")
            #expect(throws: IdentityError.self, "\(harm)") { try NodeIdentity.load(from: data) }
        }
        try scratch.write(whole, to: "data/identity.json")
        #expect(try NodeIdentity.load(from: data)?.node == "node-1")
    }
}
