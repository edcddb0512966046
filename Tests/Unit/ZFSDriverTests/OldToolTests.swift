import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import ZFSDriver

/// What the old tools cannot do is said by them, and what they can do works.
@Suite(.enabled(if: ZFSFuse.isAvailable, "needs root, /dev/fuse and zfs-fuse"))
struct OldToolTests {
    static let missing: [(operation: String, arguments: JSONObject)] = [
        ("bookmark.ensure", ["snapshot": "s1", "bookmark": "b1"]), ("bookmark.list", [:]),
        ("bookmark.destroy", ["bookmark": "b1"]), ("dataset.diff", ["snapshot": "s1"]),
        ("snapshot.holds", ["snapshot": "s1"]), ("send.estimate", ["snapshot": "s1"]),
        ("dataset.send", ["snapshot": "s1", "raw": true]), ("dataset.send", ["snapshot": "s1", "compressed": true]),
        ("dataset.send", ["snapshot": "s1", "from_bookmark": "b1"]), ("dataset.send", ["resume_token": "1-a-b-c"]),
    ]

    @Test(arguments: 0..<missing.count)
    func `what these tools do not know is unsupported`(index: Int) async throws {
        let (operation, more) = Self.missing[index]
        let pool = try await RealPool()
        try await pool.ensure()
        try await pool.snapshot("s1")
        var arguments: JSONObject = ["dataset": .string(pool.dataset)]
        for member in more.members { arguments[member.key] = member.value }
        let error = await #expect(throws: DriverError.self) { try await pool.perform(operation, arguments) }
        #expect(error?.code == .unsupported, "\(operation): \(String(describing: error))")
        #expect(error?.retryable == false)
    }

    @Test func `events, the cache and a pause of a scrub are unsupported too`() async throws {
        let pool = try await RealPool()
        let name: JSONValue = .string(pool.zfs.pool)
        for (operation, arguments) in [("pool.events", [:]), ("arc.statistics", [:])] as [(String, JSONObject)] {
            let error = await #expect(throws: DriverError.self) { try await pool.perform(operation, arguments) }
            #expect(error?.code == .unsupported, "\(operation): \(String(describing: error))")
        }
        let pause = await #expect(throws: DriverError.self) {
            try await pool.perform("pool.scrub", ["pool": name, "action": "pause"], on: "zpool/\(pool.zfs.pool)")
        }
        #expect(pause?.code == .unsupported)
    }

    @Test func `a held snapshot stays until it is released`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        try await pool.snapshot("s1")
        let snapshot: JSONObject = ["dataset": .string(pool.dataset), "snapshot": "s1"]
        var hold = snapshot
        hold["tag"] = "backup"
        let first = try await pool.perform("snapshot.hold", hold)
        #expect(first.changed && first.observed["holds"] == 1)
        #expect(try await !pool.perform("snapshot.hold", hold).changed)
        let error = await #expect(throws: DriverError.self) { try await pool.perform("snapshot.destroy", snapshot) }
        #expect(error?.code == .busy)
        let released = try await pool.perform("snapshot.release", hold)
        #expect(released.changed && released.observed["holds"] == 0)
        #expect(try await !pool.perform("snapshot.release", hold).changed)
        #expect(try await pool.perform("snapshot.destroy", snapshot).changed)
        #expect(try await !pool.perform("snapshot.release", hold).changed)
        let missing = await #expect(throws: DriverError.self) { try await pool.perform("snapshot.hold", hold) }
        #expect(missing?.code == .notFound)
    }

    @Test func `a scrub runs to its end, and health and report tell of it`() async throws {
        let pool = try await RealPool()
        let name: JSONValue = .string(pool.zfs.pool)
        let lane = "zpool/\(pool.zfs.pool)"
        let outcome = try await pool.perform("pool.scrub", ["pool": name, "wait": true], on: lane)
        #expect(outcome.observed["scan"]?["state"] == "finished")
        #expect(outcome.observed["scan"]?["errors"] == 0)
        #expect(outcome.observed["scan"]?["ended"]?.asInteger ?? 0 > 1_700_000_000_000)
        let devices = try #require(outcome.observed["devices"]?.asArray)
        #expect(devices.count == 2 && devices.allSatisfy { $0["state"] == "ONLINE" })
        #expect(devices.map { $0["depth"] } == [0, 1])
        #expect(try await !pool.perform("pool.scrub", ["pool": name, "action": "stop"], on: lane).changed)
        let health = try await pool.perform("pool.health", [:])
        #expect(health.observed["healthy"] == true)
        let report = try await pool.perform("report.full", [:]).observed
        let kinds = report["suggestions"]?.asArray?.compactMap { $0["kind"]?.asString } ?? []
        #expect(kinds.contains("no_redundancy") && !kinds.contains("never_scrubbed"))
        #expect(report["pools"]?.asArray?.count == 1)
        let wrongLane = await #expect(throws: DriverError.self) {
            try await pool.perform("pool.scrub", ["pool": name], on: "zpool/another")
        }
        #expect(wrongLane?.code == .invalidArgument)
    }

    @Test func `what snapshots keep is told by dataset`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        _ = try await pool.write("file", bytes: 400_000)
        for name in ["s1", "s2"] { try await pool.snapshot(name) }
        try await pool.zfs.command("/bin/rm", "\(try await pool.get("mountpoint"))/file")
        try await pool.zfs.command("/bin/sync")
        func look() async throws -> JSONObject {
            try await pool.perform("snapshot.usage", ["dataset": .string(pool.dataset)]).observed
        }
        var usage = try await look()
        // What a removal frees is counted some seconds later.
        for _ in 0..<300 where usage["bytes"]?.asInteger ?? 0 < 400_000 {
            try await Task.sleep(for: .milliseconds(100))
            usage = try await look()
        }
        #expect(usage["snapshots"] == 2)
        #expect(usage["bytes"]?.asInteger ?? 0 >= 400_000)
        #expect(usage["datasets"]?.asArray?.first?["count"] == 2)
        #expect(usage["datasets"]?.asArray?.first?["oldest"]?.asInteger ?? 0 > 1_700_000_000_000)
    }
}
