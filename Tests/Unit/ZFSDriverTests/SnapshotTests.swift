import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@Suite(.enabled(if: ZFSFuse.isAvailable, "needs root, /dev/fuse and zfs-fuse"))
struct SnapshotTests {
    func touch(_ path: String) { close(open(path, O_CREAT | O_WRONLY, 0o644)) }

    @Test func `a snapshot is made once and listed in the order of making`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        let first = try await pool.snapshot("zebra")
        #expect(first.changed)
        #expect(first.observed["snapshot"] == "zebra")
        #expect(first.observed["created"]?.asInteger ?? 0 > 1_700_000_000_000)
        let again = try await pool.snapshot("zebra")
        #expect(!again.changed)
        #expect(again.observed["guid"] == first.observed["guid"])
        try await pool.snapshot("apple")
        let list = try await pool.perform("snapshot.list", ["dataset": .string(pool.dataset)])
        #expect(list.observed["snapshots"]?.asArray?.map { $0["snapshot"] } == ["zebra", "apple"])
    }

    @Test func `a snapshot of what is not there says so`() async throws {
        let pool = try await RealPool()
        let error = await #expect(throws: DriverError.self) { try await pool.snapshot("s1") }
        #expect(error?.code == .notFound)
        #expect(error?.message == "there is no dataset \(pool.dataset)")
    }

    @Test func `a rollback brings back what was, and newer snapshots go only when the call says so`() async throws {
        let pool = try await RealPool()
        let place = try #require(try await pool.ensure().observed["mountpoint"]?.asString)
        let (old, new) = (pool.zfs.path("\(place)/old"), pool.zfs.path("\(place)/new"))
        touch(old)
        try await pool.snapshot("s1")
        touch(new)
        unlink(old)
        let back: JSONObject = ["dataset": .string(pool.dataset), "snapshot": "s1"]
        #expect(try await pool.perform("dataset.rollback", back).changed)
        #expect(access(old, F_OK) == 0)
        #expect(access(new, F_OK) != 0)

        try await pool.snapshot("s2")
        let error = await #expect(throws: DriverError.self) { try await pool.perform("dataset.rollback", back) }
        #expect(error?.code == .conflict)
        #expect(error?.cause?.contains("@s2") == true)
        var force = back
        force["destroy_newer"] = true
        #expect(try await pool.perform("dataset.rollback", force).observed["mounted"] == true)
        let list = try await pool.perform("snapshot.list", ["dataset": .string(pool.dataset)])
        #expect(list.observed["snapshots"]?.asArray?.map { $0["snapshot"] } == ["s1"])
    }

    @Test func `a clone is made once, and another dataset of its name is refused`() async throws {
        let pool = try await RealPool()
        try await pool.ensure(["owner": "svc1"])
        try await pool.snapshot("s1")
        let target = "\(pool.dataset)-clone"
        let arguments: JSONObject = [
            "dataset": .string(pool.dataset), "snapshot": "s1", "target": .string(target), "quota_bytes": 5_000_000,
            "owner": "svc2",
        ]
        let first = try await pool.perform("dataset.clone", arguments, on: "zfs/\(target)")
        #expect(first.changed)
        #expect(first.observed["origin"] == .string("\(pool.dataset)@s1"))
        #expect(first.observed["quota_bytes"] == 5_000_000)
        #expect(first.observed["owner"] == "svc2")
        #expect(try await !pool.perform("dataset.clone", arguments, on: "zfs/\(target)").changed)

        var other = arguments
        try await pool.snapshot("s2")
        other["snapshot"] = "s2"
        let error = await #expect(throws: DriverError.self) {
            try await pool.perform("dataset.clone", other, on: "zfs/\(target)")
        }
        #expect(error?.code == .conflict)
    }

    @Test func `a snapshot goes alone, gone already is right, and one with a clone stays`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        for name in ["s1", "s2", "s3"] { try await pool.snapshot(name) }
        let arguments: JSONObject = ["dataset": .string(pool.dataset), "snapshot": "s2"]
        #expect(try await pool.perform("snapshot.destroy", arguments).changed)
        #expect(try await !pool.perform("snapshot.destroy", arguments).changed)
        let list = try await pool.perform("snapshot.list", ["dataset": .string(pool.dataset)])
        #expect(list.observed["snapshots"]?.asArray?.map { $0["snapshot"] } == ["s1", "s3"])

        let target = "\(pool.dataset)-clone"
        _ = try await pool.perform(
            "dataset.clone",
            ["dataset": .string(pool.dataset), "snapshot": "s1", "target": .string(target)], on: "zfs/\(target)")
        let error = await #expect(throws: DriverError.self) {
            try await pool.perform("snapshot.destroy", ["dataset": .string(pool.dataset), "snapshot": "s1"])
        }
        #expect(error?.code == .conflict)
    }
}
