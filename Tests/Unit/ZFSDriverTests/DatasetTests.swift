import DriverKit
import Glibc
import Processes
import TestSupport
import Testing
import WireProtocol

@Suite(.enabled(if: ZFSFuse.isAvailable, "needs root, /dev/fuse and zfs-fuse"))
struct DatasetTests {
    @Test func `a dataset is made with its parents, quota and bounds, mounted, and then is already so`() async throws {
        let pool = try await RealPool()
        let wish: JSONObject = [
            "quota_bytes": 50_000_000, "owner": "svc1", "properties": ["compression": "gzip-1", "atime": false],
        ]
        let first = try await pool.ensure(wish)
        #expect(first.changed)
        #expect(first.observed["quota_bytes"] == 50_000_000)
        #expect(first.observed["mounted"] == true)
        #expect(first.observed["owner"] == "svc1")
        #expect(try await pool.get("quota") == "50000000")
        #expect(try await pool.get("compression") == "gzip-1")
        #expect(try await pool.get("atime") == "off")
        #expect(try await pool.get("setuid") == "off")
        #expect(try await pool.get("devices") == "off")
        let second = try await pool.ensure(wish)
        #expect(!second.changed)
        #expect(second.observed["guid"] == first.observed["guid"])
    }

    @Test func `the quota holds`() async throws {
        let pool = try await RealPool()
        let place = try #require(try await pool.ensure(["quota_bytes": 1_000_000]).observed["mountpoint"]?.asString)
        let outcome = try await pool.zfs.command(
            "/bin/dd", "if=/dev/urandom", "of=\(place)/big", "bs=100000", "count=100", "conv=fsync")
        #expect(!outcome.succeeded)
        #expect(outcome.errorText.contains("exceeded") || outcome.errorText.contains("No space"))
    }

    @Test func `a dataset that differs is changed to what is asked`() async throws {
        let pool = try await RealPool()
        let place = try #require(try await pool.ensure(["quota_bytes": 10_000_000]).observed["mountpoint"]?.asString)
        let other = try await pool.ensure([
            "quota_bytes": 20_000_000, "properties": ["readonly": true, "recordsize": 16384],
        ])
        #expect(other.changed)
        #expect(try await pool.get("quota") == "20000000")
        #expect(try await pool.get("recordsize") == "16384")
        #expect(try await !pool.zfs.command("/usr/bin/touch", "\(place)/file").succeeded)
        #expect(try await pool.ensure(["quota_bytes": 0]).changed)
        #expect(try await pool.get("quota") == "0")
    }

    @Test func `a dataset that was unmounted is mounted again`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        #expect(try await pool.zfs.command("/usr/sbin/zfs", "unmount", pool.dataset).succeeded)
        let again = try await pool.ensure()
        #expect(again.changed)
        #expect(again.observed["mounted"] == true)
    }

    @Test func `a mount point can be chosen and one that is not empty is refused`() async throws {
        let pool = try await RealPool()
        let place = "\(pool.zfs.mountpoint)/own\(UInt32.random(in: 0 ... .max))"
        let outcome = try await pool.ensure(["mountpoint": .string(place)])
        #expect(outcome.observed["mountpoint"] == .string(place))
        #expect(access(pool.zfs.path(place), R_OK) == 0)

        let full = try await RealPool()
        let taken = "\(pool.zfs.mountpoint)/full\(UInt32.random(in: 0 ... .max))"
        let seen = pool.zfs.path(taken)
        #expect(mkdir(seen, 0o755) == 0 && mkdir("\(seen)/something", 0o755) == 0)
        let error = await #expect(throws: DriverError.self) { try await full.ensure(["mountpoint": .string(taken)]) }
        #expect(error?.code == .permissionDenied)
        #expect(error?.message.hasSuffix("something is there already") == true)
        // Nothing was made, and once the place is free the same call ends well.
        #expect(rmdir("\(seen)/something") == 0)
        #expect(try await full.ensure(["mountpoint": .string(taken)]).observed["mounted"] == true)
    }

    @Test func `a dataset of somebody else is left alone`() async throws {
        let pool = try await RealPool()
        try await pool.ensure(["owner": "svc1"])
        let error = await #expect(throws: DriverError.self) {
            try await pool.ensure(["owner": "svc2", "quota_bytes": 1])
        }
        #expect(error?.code == .foreign)
        #expect(try await pool.get("quota") == "0")
        await #expect(throws: DriverError.self) {
            try await pool.perform("dataset.destroy", ["dataset": .string(pool.dataset), "owner": "svc2"])
        }
        #expect(try await pool.get("type") == "filesystem")
    }

    @Test func `a child does not inherit the mark of its parent's owner`() async throws {
        let pool = try await RealPool()
        try await pool.ensure(["owner": "svc1"])
        #expect(try await pool.zfs.command("/usr/sbin/zfs", "create", "\(pool.dataset)/child").succeeded)
        let listed = try await pool.perform("dataset.list", ["dataset": .string(pool.dataset)]).observed["datasets"]
        let owners = listed?.asArray?.map { $0["owner"] }
        #expect(owners == ["svc1", nil])
    }

    @Test func `a quota is set, lifted, and refused when more is in use`() async throws {
        let pool = try await RealPool()
        let name: JSONValue = .string(pool.dataset)
        let place = try #require(try await pool.ensure().observed["mountpoint"]?.asString)
        #expect(try await pool.perform("dataset.quota", ["dataset": name, "quota_bytes": 9_000_000]).changed)
        #expect(try await !pool.perform("dataset.quota", ["dataset": name, "quota_bytes": 9_000_000]).changed)
        try await pool.zfs.command("/bin/dd", "if=/dev/urandom", "of=\(place)/f", "bs=1000000", "count=3", "conv=fsync")
        try await pool.zfs.command("/bin/sync")
        let error = await #expect(throws: DriverError.self) {
            try await pool.perform("dataset.quota", ["dataset": name, "quota_bytes": 100_000])
        }
        #expect(error?.code == .conflict)
        #expect(try await pool.perform("dataset.quota", ["dataset": name, "quota_bytes": 0]).changed)
        #expect(try await pool.get("quota") == "0")
    }

    @Test func `a dataset goes, and gone already is right`() async throws {
        let pool = try await RealPool()
        let arguments: JSONObject = ["dataset": .string(pool.dataset)]
        try await pool.ensure()
        let first = try await pool.perform("dataset.destroy", arguments)
        #expect(first.changed)
        #expect(first.observed == ["dataset": .string(pool.dataset), "present": false])
        let second = try await pool.perform("dataset.destroy", arguments)
        #expect(!second.changed)
        #expect(second.observed == first.observed)
    }

    @Test func `a dataset with snapshots goes only when the call says so`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        try await pool.snapshot("s1")
        let error = await #expect(throws: DriverError.self) {
            try await pool.perform("dataset.destroy", ["dataset": .string(pool.dataset)])
        }
        #expect(error?.code == .conflict)
        #expect(error?.cause?.contains("\(pool.dataset)@s1") == true)
        #expect(
            try await pool.perform("dataset.destroy", ["dataset": .string(pool.dataset), "recursive": true]).changed)
    }

    @Test func `a dataset in use is busy, and goes once it is free`() async throws {
        let pool = try await RealPool()
        let place = try #require(try await pool.ensure().observed["mountpoint"]?.asString)
        let user = Task { try await pool.zfs.command("/bin/sh", "-c", "cd \(place) && touch here && exec sleep 3") }
        while access(pool.zfs.path("\(place)/here"), F_OK) != 0 { try await Task.sleep(for: .milliseconds(20)) }
        // The driver waits for some seconds before it gives up; the user is gone by then.
        #expect(try await pool.perform("dataset.destroy", ["dataset": .string(pool.dataset)]).changed)
        _ = try await user.value
    }

    @Test func `a missing parent pool is said`() async throws {
        let pool = try await RealPool()
        let error = await #expect(throws: DriverError.self) {
            try await pool.perform("dataset.ensure", ["dataset": "nopool/x"], on: "zfs/nopool/x")
        }
        #expect(error?.code == .notFound)
        #expect(error?.resource == "zfs/nopool/x")
    }
}
