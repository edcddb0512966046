import DriverKit
import Glibc
import Processes
import TestSupport
import Testing
import WireProtocol

@testable import ZFSDriver

@Suite(.enabled(if: ZFSFuse.isAvailable, "needs root, /dev/fuse and zfs-fuse"))
struct TransferTests {
    /// A dataset with a file and the snapshot `s1`, and the file's digest.
    func stocked() async throws -> (pool: RealPool, digest: String) {
        let pool = try await RealPool()
        try await pool.ensure()
        let digest = try await pool.write("file", bytes: 600_000)
        try await pool.snapshot("s1")
        return (pool, digest)
    }

    @Test func `what is sent and received is the same, and received again is already so`() async throws {
        let (pool, digest) = try await stocked()
        let target = "\(pool.dataset)-copy"
        let stream = try await pool.sent(["snapshot": "s1"])
        let header = try #require(StreamHeader(stream))
        #expect(header.name == "\(pool.dataset)@s1")
        #expect(String(header.guid) == (try await pool.get("guid", of: "\(pool.dataset)@s1")))
        let first = try await pool.receive(stream, into: target, ["owner": "svc7"])
        #expect(first.changed)
        #expect(first.observed["guid"] == .string(String(header.guid)))
        #expect(first.observed["bytes"] == .integer(Int64(stream.count)))
        // Not mounted, and not to be changed, before anybody says so.
        #expect(try await pool.get("mounted", of: target) == "no")
        #expect(try await pool.get("readonly", of: target) == "on")
        #expect(try await pool.get("setuid", of: target) == "off")
        #expect(try await pool.get("innkeeper:owner", of: target) == "svc7")
        #expect(try await pool.zfs.command("/usr/sbin/zfs", "mount", target).succeeded)
        let place = try await pool.get("mountpoint", of: target)
        #expect(try await pool.digest("\(place)/file") == digest)
        let again = try await pool.receive(stream, into: target)
        #expect(!again.changed)
        #expect(again.observed["guid"] == first.observed["guid"])
        let foreign = await #expect(throws: DriverError.self) {
            try await pool.receive(stream, into: target, ["owner": "svc8"])
        }
        #expect(foreign?.code == .foreign && foreign?.message == "dataset \(target) belongs to svc7")
    }

    @Test func `an increment brings a copy forward, once, and only where it fits`() async throws {
        let (pool, _) = try await stocked()
        let target = "\(pool.dataset)-copy"
        try await pool.receive(pool.sent(["snapshot": "s1"]), into: target)
        let digest = try await pool.write("second", bytes: 50_000)
        try await pool.snapshot("s2")
        let increment = try await pool.sent(["snapshot": "s2", "from_snapshot": "s1"])
        #expect(increment.count < 300_000)
        #expect(try await pool.receive(increment, into: target).changed)
        #expect(try await !pool.receive(increment, into: target).changed)
        let state = try await pool.perform("receive.state", ["dataset": .string(target)], on: "zfs/\(target)")
        #expect(state.observed["guids"]?.asArray?.count == 2)
        #expect(state.observed["latest"]?["snapshot"] == "s2")
        #expect(state.observed["resume_token"] == .null)
        #expect(try await pool.zfs.command("/usr/sbin/zfs", "mount", target).succeeded)
        #expect(try await pool.digest("\(try await pool.get("mountpoint", of: target))/second") == digest)

        let stranger = "\(pool.dataset)-stranger"
        try await pool.perform("dataset.ensure", ["dataset": .string(stranger)], on: "zfs/\(stranger)", over: Wire())
        let error = await #expect(throws: DriverError.self) { try await pool.receive(increment, into: stranger) }
        #expect(error?.code == .conflict && error?.message.contains("builds on") == true)
        let full = try await pool.sent(["snapshot": "s1"])
        let taken = await #expect(throws: DriverError.self) { try await pool.receive(full, into: stranger) }
        #expect(taken?.code == .conflict && taken?.message == "dataset \(stranger) is there already")
    }

    @Test(arguments: [0, 100, 312, 5000, 300_000])
    func `a stream that ends early leaves nothing and may be tried again`(length: Int) async throws {
        let (pool, _) = try await stocked()
        let target = "\(pool.dataset)-copy"
        let stream = try await pool.sent(["snapshot": "s1"])
        let error = await #expect(throws: DriverError.self) {
            try await pool.receive(stream.prefix(length), into: target)
        }
        #expect(error?.code == .failed && error?.retryable == true, "\(String(describing: error))")
        #expect(try await pool.get("type", of: target) == "")
        #expect(try await pool.receive(stream, into: target).changed)
    }

    @Test func `what is no stream, or is damaged, or decides where it is mounted, is refused`() async throws {
        let (pool, _) = try await stocked()
        let target = "\(pool.dataset)-copy"
        var error = await #expect(throws: DriverError.self) {
            try await pool.receive(Array(repeating: UInt8(ascii: "x"), count: 5000), into: target)
        }
        #expect(error?.code == .invalidArgument)
        var stream = try await pool.sent(["snapshot": "s1"])
        for place in stride(from: 200_000, to: 200_064, by: 1) { stream[place] ^= 0x55 }
        error = await #expect(throws: DriverError.self) { try await pool.receive(stream, into: target) }
        #expect(error?.code == .failed && error?.retryable == true, "\(String(describing: error))")
        let package = try await pool.sent(["snapshot": "s1", "replicate": true])
        error = await #expect(throws: DriverError.self) { try await pool.receive(package, into: target) }
        #expect(error?.code == .unsupported)
        #expect(try await pool.get("type", of: target) == "")
    }

    @Test func `a copy on the node goes by a pipe, in steps, and is already so the second time`() async throws {
        let (pool, digest) = try await stocked()
        let target = "\(pool.dataset)-dir/copy"
        func copy(_ more: JSONObject) async throws(DriverError) -> ActionOutcome {
            var arguments: JSONObject = ["dataset": .string(pool.dataset), "target": .string(target)]
            for member in more.members { arguments[member.key] = member.value }
            return try await pool.perform("dataset.copy", arguments, on: "zfs/\(target)", over: Wire())
        }
        #expect(try await copy(["snapshot": "s1"]).changed)
        #expect(try await !copy(["snapshot": "s1"]).changed)
        _ = try await pool.write("second", bytes: 5000)
        try await pool.snapshot("s2")
        #expect(try await copy(["snapshot": "s2", "from_snapshot": "s1"]).changed)
        #expect(try await pool.zfs.command("/usr/sbin/zfs", "mount", target).succeeded)
        #expect(try await pool.digest("\(try await pool.get("mountpoint", of: target))/file") == digest)
        let missing = await #expect(throws: DriverError.self) { try await copy(["snapshot": "s9"]) }
        #expect(missing?.code == .notFound)
        let itself = await #expect(throws: DriverError.self) {
            try await pool.perform(
                "dataset.copy",
                ["dataset": .string(pool.dataset), "snapshot": "s1", "target": .string(pool.dataset)], over: Wire())
        }
        #expect(itself?.code == .invalidArgument)
    }

    @Test func `a reader that gives no credit holds the sender, and a cancelled one ends it`() async throws {
        let (pool, _) = try await stocked()
        let gate = AsyncStream<Void>.makeStream()
        let wire = Wire(gate: { () throws(CancellationError) in
            for await _ in gate.stream { return }
            throw CancellationError()
        })
        let task = Task {
            try await pool.perform("dataset.send", ["dataset": .string(pool.dataset), "snapshot": "s1"], over: wire)
        }
        gate.continuation.yield()
        gate.continuation.yield()
        while wire.stdout.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(wire.stdout.count < 600_000)
        #expect(
            try await pool.perform("snapshot.destroy", ["dataset": .string(pool.dataset), "snapshot": "s1"]).changed)
    }
}
