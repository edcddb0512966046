import DriverKit
import Glibc
import Processes
import TestSupport
import Testing
import WireProtocol

@testable import ZFSDriver

/// Where datasets may be seen, and which of them a call may work on.
@Suite struct PlaceTests {
    @Test(arguments: [
        "/etc", "/etc/cron.d", "/home", "/opt/x", "/var/lib/innkeeper/agent", "/root/.ssh", "/usr/local/bin",
    ])
    func `a place outside of the pool is refused, and nothing is made`(place: String) async throws {
        let pool = try await RealPool()
        let error = await #expect(throws: DriverError.self) { try await pool.ensure(["mountpoint": .string(place)]) }
        #expect(error?.code == .permissionDenied)
        #expect(error?.message.contains(place) == true && error?.cause?.contains("zfs_mount_roots") == true)
        #expect(try await pool.get("type") == "")
    }

    @Test func `no link leads a mount elsewhere`() async throws {
        let pool = try await RealPool()
        let link = "\(pool.zfs.mountpoint)/link\(UInt32.random(in: 0 ... .max))"
        #expect(symlink("/etc", pool.zfs.path(link)) == 0)
        for place in [link, "\(link)/inner"] {
            let error = await #expect(throws: DriverError.self) {
                try await pool.ensure(["mountpoint": .string(place)])
            }
            #expect(error?.code == .permissionDenied, "\(String(describing: error))")
        }
        unlink(pool.zfs.path(link))
    }

    @Test func `nothing is mounted inside the data of a service`() async throws {
        let pool = try await RealPool()
        let place = try #require(try await pool.ensure(["owner": "svc1"]).observed["mountpoint"]?.asString)
        let child = "\(pool.dataset)/child"
        var error = await #expect(throws: DriverError.self) {
            try await pool.perform("dataset.ensure", ["dataset": .string(child)], on: "zfs/\(child)")
        }
        #expect(error?.code == .permissionDenied && error?.message.contains("inside the data of svc1") == true)
        let other = try await RealPool()
        error = await #expect(throws: DriverError.self) {
            try await other.ensure(["mountpoint": .string("\(place)/x"), "owner": "svc2"])
        }
        #expect(error?.code == .permissionDenied)
        // Nor does one that is there already get in the way of its removal.
        #expect(try await pool.zfs.command("/usr/sbin/zfs", "create", child).succeeded)
        #expect(
            try await pool.perform("dataset.destroy", ["dataset": .string(child)], on: "zfs/\(child)").changed)
    }

    @Test func `nothing is mounted over a folder that holds anything`() async throws {
        let pool = try await RealPool()
        let place = "\(pool.zfs.mountpoint)/held\(UInt32.random(in: 0 ... .max))"
        #expect(mkdir(pool.zfs.path(place), 0o755) == 0 && mkdir(pool.zfs.path("\(place)/inner"), 0o755) == 0)
        let error = await #expect(throws: DriverError.self) { try await pool.ensure(["mountpoint": .string(place)]) }
        #expect(error?.code == .permissionDenied && error?.message.contains("something is there already") == true)
        #expect(try await pool.get("type") == "")
        rmdir(pool.zfs.path("\(place)/inner"))
        #expect(try await pool.ensure(["mountpoint": .string(place)]).changed)
        // What is in it now is its own.
        #expect(mkdir(pool.zfs.path("\(place)/inner"), 0o755) == 0)
        #expect(try await !pool.ensure(["mountpoint": .string(place)]).changed)
    }

    @Test func `a dataset gets no other contents while others are mounted below it`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        try await pool.snapshot("s")
        let child = "\(pool.dataset)/child"
        _ = try await pool.perform("dataset.ensure", ["dataset": .string(child)], on: "zfs/\(child)")
        let back: JSONObject = ["dataset": .string(pool.dataset), "snapshot": "s"]
        let error = await #expect(throws: DriverError.self) { try await pool.perform("dataset.rollback", back) }
        #expect(error?.code == .permissionDenied && error?.cause?.contains(child) == true)
        _ = try await pool.perform("dataset.destroy", ["dataset": .string(child)], on: "zfs/\(child)")
        #expect(try await pool.perform("dataset.rollback", back).changed)
    }

    /// What the operations do that change or hand out a dataset, on one whose place is the system's.
    static let works: [(String, JSONObject)] = [
        ("dataset.ensure", [:]), ("dataset.ensure", ["owner": "svc1"]), ("dataset.quota", ["quota_bytes": 1]),
        ("dataset.destroy", ["recursive": true]), ("dataset.snapshot", ["snapshot": "x"]),
        ("dataset.rollback", ["snapshot": "s"]), ("dataset.send", ["snapshot": "s"]),
        ("dataset.diff", ["snapshot": "s"]), ("snapshot.destroy", ["snapshot": "s"]),
        ("dataset.receive", ["overwrite": true]),
        ("dataset.clone", ["snapshot": "s", "target": "POOL/innkeeper/stolen"]),
        ("dataset.copy", ["snapshot": "s", "target": "POOL/innkeeper/stolen"]),
        ("snapshot.hold", ["snapshot": "s", "tag": "t"]), ("bookmark.ensure", ["snapshot": "s", "bookmark": "b"]),
    ]

    /// As a node whose own system lies on ZFS has it, the old one beside it: not mounted, and full of its keys.
    @Test(arguments: works) func `a dataset of the system is not worked on`(operation: String, more: JSONObject)
        async throws
    {
        let pool = try await RealPool()
        let system = "\(pool.zfs.pool)/root\(UInt32.random(in: 0 ... .max))"
        let made = try await pool.zfs.command(
            "/usr/sbin/zfs", "create", "-o", "canmount=noauto", "-o", "mountpoint=/", system)
        #expect(made.succeeded, "\(made.errorText)")
        #expect(try await pool.zfs.command("/usr/sbin/zfs", "snapshot", "\(system)@s").succeeded)
        var arguments: JSONObject = ["dataset": .string(system)]
        for member in more.members {
            let text = member.value.asString.map { $0.hasPrefix("POOL") ? pool.zfs.pool + $0.dropFirst(4) : $0 }
            arguments[member.key] = text.map { .string($0) } ?? member.value
        }
        let error = await #expect(throws: DriverError.self) {
            let resource = "zfs/\(arguments["target"]?.asString ?? system)"
            _ = try await pool.perform(operation, arguments, on: resource)
        }
        #expect(error?.code == .permissionDenied, "\(String(describing: error))")
        #expect(try await pool.get("mounted", of: system) == "no")
        #expect(try await pool.destroys(system))
    }

    @Test func `a dataset above one of the system is not taken with it`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        let inner = "\(pool.dataset)/root"
        #expect(
            try await pool.zfs.command("/usr/sbin/zfs", "create", "-o", "canmount=noauto", "-o", "mountpoint=/", inner)
                .succeeded)
        let error = await #expect(throws: DriverError.self) {
            try await pool.perform("dataset.destroy", ["dataset": .string(pool.dataset), "recursive": true])
        }
        #expect(error?.code == .permissionDenied)
        #expect(try await pool.get("type", of: inner) == "filesystem")
    }

    @Test func `folders that the owner names take the place of the pools'`() async throws {
        let pool = try await RealPool()
        let named = try ScratchFolder("named")
        let driver = ZFSDriver(
            tools: pool.driver.tools, version: "test", root: pool.zfs.path(""), mountRoots: [named.path])
        func ensure(_ more: JSONObject) async throws(DriverError) -> ActionOutcome {
            var arguments: JSONObject = ["dataset": .string(pool.dataset)]
            for member in more.members { arguments[member.key] = member.value }
            return try await driver.perform(
                ActionCall(action: "dataset.ensure", resource: "zfs/\(pool.dataset)", arguments: arguments),
                pool.context)
        }
        let error = await #expect(throws: DriverError.self) { try await ensure([:]) }
        #expect(error?.code == .permissionDenied)
        let place: JSONValue = .string(named.file("data"))
        #expect(try await ensure(["mountpoint": place]).observed["mountpoint"] == place)
        // A dataset that was just mounted may be busy for a moment.
        let gone = try await driver.perform(
            ActionCall(
                action: "dataset.destroy", resource: "zfs/\(pool.dataset)",
                arguments: ["dataset": .string(pool.dataset)]), pool.context)
        #expect(gone.changed)
    }

    @Test func `what bears no mark is not taken over`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        let error = await #expect(throws: DriverError.self) { try await pool.ensure(["owner": "svc1"]) }
        #expect(error?.code == .foreign && error?.cause?.contains("innkeeper:owner=svc1") == true)
        #expect(try await pool.get("innkeeper:owner") == "-")
    }

    @Test(arguments: ["setuid", "devices"]) func `no tenant's file makes a user of the node root`(name: String)
        async throws
    {
        let pool = try await RealPool()
        let error = await #expect(throws: DriverError.self) { try await pool.ensure(["properties": [name: true]]) }
        #expect(error?.code == .invalidArgument)
        _ = try await pool.ensure(["properties": [name: false]])
    }

    @Test func `the parent of tenants' data is root's alone, their own is as their containers need it`() async throws {
        let zfs = try await RealPool()
        let parent = "\(zfs.zfs.pool)/tenants\(UInt32.random(in: 0 ... .max))"
        func mode(_ name: String) -> mode_t? {
            var status = stat()
            let place = zfs.zfs.path("\(zfs.zfs.mountpoint)\(name.dropFirst(zfs.zfs.pool.count))")
            return stat(place, &status) == 0 ? status.st_mode & 0o7777 : nil
        }
        func make(_ name: String, _ more: JSONObject = ["owner": "svc1"]) async throws {
            var arguments: JSONObject = ["dataset": .string(name)]
            for member in more.members { arguments[member.key] = member.value }
            _ = try await zfs.perform("dataset.ensure", arguments, on: "zfs/\(name)")
        }
        try await make("\(parent)/inner/one")
        #expect(mode(parent) == 0o700 && mode("\(parent)/inner") == 0o700 && mode("\(parent)/inner/one") == 0o755)
        // One of an older agent is closed with the next dataset; one with files of the owner's in it is his.
        chmod(zfs.zfs.path("\(zfs.zfs.mountpoint)\(parent.dropFirst(zfs.zfs.pool.count))/inner"), 0o755)
        try await make("\(parent)/inner/two", ["owner": "svc2"])
        #expect(mode("\(parent)/inner") == 0o700)
        let shared = "\(zfs.zfs.pool)/shared\(UInt32.random(in: 0 ... .max))"
        #expect(try await zfs.zfs.command("/usr/sbin/zfs", "create", shared).succeeded)
        #expect(mkdir(zfs.zfs.path("\(zfs.zfs.mountpoint)\(shared.dropFirst(zfs.zfs.pool.count))/www"), 0o755) == 0)
        try await make("\(shared)/one")
        #expect(mode(shared) == 0o755)
    }
}

/// What containers see, and what is being given to them, beside what ZFS mounts.
@Suite struct ContainersBesideTests {
    private static func bound(_ source: String, readOnly: Bool = false) -> MountClaims {
        let claims = MountClaims()
        claims.listen(to: "engine") { [NodeBind(source: source, isReadOnly: readOnly)] }
        return claims
    }

    private static func failure(_ work: () async throws(DriverError) -> ActionOutcome) async -> DriverError? {
        do throws(DriverError) {
            _ = try await work()
            return nil
        } catch { return error }
    }

    /// The driver beside an engine whose containers see a path, and the place of the pool's dataset.
    private static func beside(_ pool: RealPool, _ claims: MountClaims) -> ZFSDriver {
        ZFSDriver(tools: pool.driver.tools, version: "test", root: pool.zfs.path(""), claims: claims)
    }

    private static func place(_ pool: RealPool) -> String {
        pool.zfs.mountpoint + pool.dataset.dropFirst(pool.zfs.pool.count)
    }

    private static func call(_ pool: RealPool, _ action: String, _ more: JSONObject = [:]) -> ActionCall {
        var arguments: JSONObject = ["dataset": .string(pool.dataset)]
        for member in more.members { arguments[member.key] = member.value }
        return ActionCall(action: action, resource: "zfs/\(pool.dataset)", arguments: arguments)
    }

    @Test func `nothing is mounted above what a container has, though that is gone`() async throws {
        let pool = try await RealPool()
        let driver = Self.beside(pool, Self.bound("\(Self.place(pool))/inner", readOnly: true))
        let error = await Self.failure { () throws(DriverError) in
            try await driver.perform(Self.call(pool, "dataset.ensure"), pool.context)
        }
        #expect(error?.code == .permissionDenied && error?.message.contains("/inner, which lies in it") == true)
        #expect(try await pool.get("type") == "")
    }

    @Test func `nor does what is there get other contents, whose links would lead the container`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        try await pool.snapshot("s")
        let driver = Self.beside(pool, Self.bound("\(Self.place(pool))/inner"))
        let error = await Self.failure { () throws(DriverError) in
            try await driver.perform(Self.call(pool, "dataset.rollback", ["snapshot": "s"]), pool.context)
        }
        #expect(error?.code == .permissionDenied, "\(String(describing: error))")
        // What mounts nothing goes on, and so does all once the container is away.
        let quota = try await driver.perform(Self.call(pool, "dataset.quota", ["quota_bytes": 1_048_576]), pool.context)
        #expect(quota.changed)
        let rest = Self.beside(pool, Self.bound("/elsewhere"))
        #expect(
            try await rest.perform(Self.call(pool, "dataset.rollback", ["snapshot": "s"]), pool.context).changed)
    }

    @Test
    func `nothing is mounted below what a container can write to; one that reads, or has the place itself, is none`()
        async throws
    {
        let pool = try await RealPool()
        let parent = "\(pool.zfs.mountpoint)/innkeeper"
        let call = Self.call(pool, "dataset.ensure")
        let error = await Self.failure { () throws(DriverError) in
            try await Self.beside(pool, Self.bound(parent)).perform(call, pool.context)
        }
        #expect(error?.code == .permissionDenied && error?.message.contains("can write to \(parent)") == true)
        let reader = Self.bound(parent, readOnly: true)
        #expect(try await Self.beside(pool, reader).perform(call, pool.context).changed)
        _ = try await pool.perform("dataset.destroy", ["dataset": .string(pool.dataset)])
        #expect(try await Self.beside(pool, Self.bound(Self.place(pool))).perform(call, pool.context).changed)
        // It is there: a writer that came later holds up no look at it.
        #expect(try await !Self.beside(pool, Self.bound(parent)).perform(call, pool.context).changed)
    }

    @Test func `nothing is mounted beside an order that is just giving the way to a container, nor without an answer`()
        async throws
    {
        let pool = try await RealPool()
        let claims = MountClaims()
        let driver = Self.beside(pool, claims)
        let call = Self.call(pool, "dataset.ensure")
        let claim = PlacedBind(NodeBind(source: "\(Self.place(pool))/inner", isReadOnly: true), MountTable(""))
        let busy = await Self.failure { () throws(DriverError) in
            try await claims.holding([claim]) { () async throws(DriverError) in
                try await driver.perform(call, pool.context)
            }
        }
        #expect(busy?.code == .busy && busy?.retryable == true)
        claims.listen(to: "engine") { () throws(DriverError) in throw DriverError(.unavailable, "no answer") }
        let silent = await Self.failure { () throws(DriverError) in try await driver.perform(call, pool.context) }
        #expect(silent?.code == .unavailable && silent?.retryable == true && silent?.cause == "no answer")
        #expect(try await pool.get("type") == "")
    }
}
