import DriverKit
import TestSupport
import Testing
import WireProtocol
import ZFSDriver

/// Names that the command line of ZFS would read as something else. Each is tried on a pool where it could do harm.
@Suite(.enabled(if: ZFSFuse.isAvailable, "needs root, /dev/fuse and zfs-fuse"))
struct FootGunTests {
    static let snapshots = [
        "", "%", "s1%s3", "%s3", "s1%", "s1,s2", ",", "-r", "-R", "--", "@", "s1@s2", "s1#b", "a b", "s1\n", "s1/..",
    ]

    @Test(arguments: snapshots)
    func `a snapshot's name that means more than one snapshot is refused and none goes`(_ name: String) async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        for name in ["s1", "s2", "s3"] { try await pool.snapshot(name) }
        for operation in ["snapshot.destroy", "dataset.snapshot", "dataset.rollback"] {
            let error = await #expect(throws: DriverError.self) {
                try await pool.perform(operation, ["dataset": .string(pool.dataset), "snapshot": .string(name)])
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.hasPrefix("argument snapshot ") == true)
        }
        let left = try await pool.perform("snapshot.list", ["dataset": .string(pool.dataset)])
        #expect(left.observed["snapshots"]?.asArray?.count == 3)
    }

    @Test func `a missing snapshot's name does not make the dataset go`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        let error = await #expect(throws: DriverError.self) {
            try await pool.perform("snapshot.destroy", ["dataset": .string(pool.dataset)])
        }
        #expect(error?.message == "argument snapshot is missing")
        #expect(try await pool.get("type") == "filesystem")
    }

    @Test func `a whole pool is never worked on`() async throws {
        let pool = try await RealPool()
        let name: JSONValue = .string(pool.zfs.pool)
        let calls: [(String, JSONObject)] = [
            ("dataset.destroy", ["dataset": name, "recursive": true]), ("dataset.ensure", ["dataset": name]),
            ("dataset.quota", ["dataset": name, "quota_bytes": 1]),
            ("dataset.snapshot", ["dataset": name, "snapshot": "s"]),
            ("dataset.rollback", ["dataset": name, "snapshot": "s"]),
            ("snapshot.destroy", ["dataset": name, "snapshot": "s"]),
        ]
        for (operation, arguments) in calls {
            let error = await #expect(throws: DriverError.self) {
                try await pool.perform(operation, arguments, on: "zfs/\(pool.zfs.pool)")
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("must be a dataset below a pool") == true)
        }
        #expect(try await pool.get("type", of: pool.zfs.pool) == "filesystem")
    }

    @Test(arguments: [
        "", "-r", "-rf/x", "tank/-r", "/etc/passwd", "tank//x", "tank/x/", "tank/../x", "tank/x@s", "tank/x#b",
        "tank/a b",
        "tank/x%y", "tank/x,y", "tank/x\u{0}", "tank/\u{e9}", String(repeating: "tank/", count: 60) + "x",
    ])
    func `a dataset's name outside the grammar is refused by every operation`(_ name: String) async throws {
        let pool = try await RealPool()
        for spec in pool.driver.actions where spec.name != "pool.list" {
            var arguments: JSONObject = ["dataset": .string(name)]
            if spec.name.hasPrefix("snapshot.destroy") { arguments["snapshot"] = "s" }
            if spec.name == "dataset.clone" { arguments["target"] = .string("\(pool.dataset)-clone") }
            let error = await #expect(throws: DriverError.self) {
                try await pool.perform(spec.name, arguments, on: "zfs/\(name)")
            }
            #expect(error?.code == .invalidArgument, "\(spec.name)")
        }
    }

    @Test func `a call cannot change another dataset than its resource`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        try await pool.snapshot("s1")
        let more: [String: JSONObject] = [
            "dataset.ensure": ["quota_bytes": 1], "dataset.quota": ["quota_bytes": 1],
            "dataset.snapshot": ["snapshot": "s1"],
            "dataset.rollback": ["snapshot": "s1"], "snapshot.destroy": ["snapshot": "s1"],
            "dataset.clone": ["snapshot": "s1", "target": .string("\(pool.dataset)-clone")],
            "dataset.copy": ["snapshot": "s1", "target": .string("\(pool.dataset)-copy")],
            "snapshot.hold": ["snapshot": "s1", "tag": "t"], "snapshot.release": ["snapshot": "s1", "tag": "t"],
            "bookmark.ensure": ["snapshot": "s1", "bookmark": "b"], "bookmark.destroy": ["bookmark": "b"],
            "dataset.mark": ["mark": ["service": "svc"]],
        ]
        for spec in pool.driver.actions where spec.kind == .mutate {
            var arguments: JSONObject = ["dataset": .string(pool.dataset)]
            if spec.name == "pool.scrub" { arguments = ["pool": .string(pool.zfs.pool)] }
            for member in more[spec.name]?.members ?? [] { arguments[member.key] = member.value }
            let error = await #expect(throws: DriverError.self) {
                try await pool.perform(spec.name, arguments, on: "zfs/\(pool.zfs.pool)/another")
            }
            #expect(error?.message.contains("is not what the call's resource") == true, "\(spec.name)")
        }
        #expect(try await pool.get("quota") == "0")
    }

    @Test(
        arguments: [
            ["sharenfs": "on"], ["mountpoint": "/etc"], ["canmount": "on"], ["zoned": "on"], ["exec": "maybe"],
            ["compression": "-x"], ["recordsize": 1000], ["user:property": "x"], ["compression": ["on"]],
            ["quota": 5], ["compression": "gzip -o x=y"],
        ] as [JSONObject])
    func `a property that a call may not set is refused by name`(_ properties: JSONObject) async throws {
        let pool = try await RealPool()
        let error = await #expect(throws: DriverError.self) {
            try await pool.ensure(["properties": .object(properties)])
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("properties.\(properties.keys[0])") == true)
        #expect(try await pool.get("type") == "")
    }

    @Test func `operands stand behind the end of options on every command line`() async throws {
        let recorder = try ToolScript(
            """
            printf '%s\\n' "$*" >> "$RECORD"
            case $1 in
            get) for last; do :; done
                 printf '%s\\tguid\\t1\\t-\\n%s\\tmounted\\tyes\\t-\\n%s\\torigin\\ttank/a@s\\t-\\n' $last $last $last ;;
            esac
            """)
        let driver = recorder.driver
        for (operation, arguments, resource) in [
            ("dataset.ensure", ["dataset": "tank/a", "quota_bytes": 5], "zfs/tank/a"),
            ("dataset.destroy", ["dataset": "tank/a", "recursive": true], "zfs/tank/a"),
            ("dataset.rollback", ["dataset": "tank/a", "snapshot": "s"], "zfs/tank/a"),
            ("snapshot.destroy", ["dataset": "tank/a", "snapshot": "s"], "zfs/tank/a"),
            ("snapshot.list", ["dataset": "tank/a"], "zfs"),
            ("dataset.list", ["dataset": "tank/a"], "zfs"),
        ] as [(String, JSONObject, String)] {
            // What the script answers is not what these expect: only the command lines matter here.
            _ = try? await driver.perform(
                ActionCall(action: operation, resource: resource, arguments: arguments), recorder.context)
        }
        let lines = try recorder.record().split(separator: "\n")
        let withOperands = lines.filter { $0.contains("tank/a") }
        #expect(withOperands.count >= 8)
        // `set` knows no end of options in the old tools.
        for line in withOperands where !line.hasPrefix("set ") {
            let words = line.split(separator: " ")
            let end = try #require(words.firstIndex(of: "--"), "\(line)")
            #expect(!words[..<end].contains { $0.hasPrefix("tank/") }, "\(line)")
            #expect(words[(end + 1)...].allSatisfy { $0 == "tank" || $0.hasPrefix("tank/") }, "\(line)")
        }
    }
}
