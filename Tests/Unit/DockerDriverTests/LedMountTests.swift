import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@testable import DockerDriver

/// The engine follows a container's mounts anew at each start: nobody may come to change the way in between.
@Suite struct LedMountTests {
    private static func mounts(_ source: String) -> JSONObject {
        ["mounts": [["source": .string(source), "target": "/data"]], "running": false]
    }

    private static func failure(_ work: () async throws(DriverError) -> ActionOutcome) async -> DriverError? {
        do throws(DriverError) {
            _ = try await work()
            return nil
        } catch { return error }
    }

    /// A folder that looks like the mount point of a dataset with a mark of `svc_1`.
    private static func rights(_ folder: String, owner: String? = "svc_1", device: String? = nil) -> NodeRights {
        let device = device ?? MountTable.device(of: folder) ?? ""
        var rights = NodeRights(mountRoots: ["/tmp"]) { (dataset) throws(DriverError) -> String? in
            dataset == "tank/one" ? owner : nil
        }
        let table = MountTable("1 0 0:2 / / rw - ext4 x rw\n2 1 \(device) / \(folder) rw - zfs tank/one rw\n")
        rights.mounts = { table }
        return rights
    }

    @Test func `of a dataset its mount point alone is shown, whatever lies in it now`() async throws {
        let folder = try ScratchFolder("dataset")
        #expect(mkdir(folder.file("sub"), 0o755) == 0)
        let rights = Self.rights(folder.path)
        #expect(try await rights.standing(of: folder.path, for: "svc_1") == .free)
        guard case .closed(let reason) = try await rights.standing(of: folder.file("sub"), for: "svc_1") else {
            Issue.record("a folder inside of a dataset is shown")
            return
        }
        #expect(reason.contains("tank/one") && reason.contains("mount \(folder.path) itself"))
        #expect(try await rights.standing(of: folder.path, for: "svc_2") == .never("it holds data of svc_1"))
    }

    @Test func `nor is what lies in an unmarked dataset, unless no controller reaches that`() async throws {
        let folder = try ScratchFolder("dataset")
        #expect(mkdir(folder.file("sub"), 0o755) == 0)
        var rights = Self.rights(folder.path, owner: nil)
        #expect(try await rights.standing(of: folder.path, for: "svc_1") == .free)
        guard case .closed = try await rights.standing(of: folder.file("sub"), for: "svc_1") else {
            Issue.record("a folder inside of a dataset is shown")
            return
        }
        rights.reaches = { _ throws(DriverError) in false }
        #expect(try await rights.standing(of: folder.file("sub"), for: "svc_1") == .free)
    }

    @Test func `a mount that another hides is not taken for the dataset`() async throws {
        let folder = try ScratchFolder("hidden")
        var rights = Self.rights(folder.path, device: "0:1")
        rights.mountRoots = []
        #expect(try await rights.standing(of: folder.path, for: "svc_1") != .free)
    }

    @Test func `of two orders at once for a folder and what lies in it one is refused`() async throws {
        let bench = try await Workbench()
        for _ in 0..<5 {
            let folder = try ScratchFolder("race")
            #expect(mkdir(folder.file("in"), 0o755) == 0)
            let (above, below) = (Workbench.name("above"), Workbench.name("below"))
            async let first = Self.failure { () throws(DriverError) in
                try await bench.ensure(above, Self.mounts(folder.path))
            }
            async let second = Self.failure { () throws(DriverError) in
                try await bench.ensure(below, Self.mounts(folder.file("in")))
            }
            let failures = [await first, await second].compactMap(\.self)
            #expect(!failures.isEmpty, "both were made")
            #expect(failures.allSatisfy { $0.code == .permissionDenied || $0.code == .busy && $0.retryable })
            for name in [above, below] { try await bench.remove(name) }
        }
    }

    @Test func `an order that hangs holds up what its own mounts concern, and nothing else`() async throws {
        let bench = try await ComposeBench()
        let folder = try ScratchFolder("hanging")
        for name in ["in", "beside"] { #expect(mkdir(folder.file(name), 0o755) == 0) }
        let driver = DockerDriver(
            socket: bench.bench.engine.socket, rights: Workbench.rights(bench.bench.engine),
            compose: ComposeSettings(root: bench.root))
        let (name, project) = (Workbench.name("waiting"), Workbench.name("project"))
        func ensure(_ source: String) async -> DriverError? {
            var arguments = Self.mounts(source)
            for (key, value) in [("name", name), ("image", Workbench.image)] { arguments[key] = .string(value) }
            arguments["command"] = ["/bin/sleep", "100000"]
            let call = ActionCall(action: "container.ensure", resource: "docker/\(name)", arguments: arguments)
            return await Self.failure { () throws(DriverError) in try await driver.perform(call, Record().context) }
        }
        func deploy(_ source: String) async -> DriverError? {
            let content = ComposeBench.sleeper("volumes: [\"\(source):/x\"]")
            let call = ActionCall(
                action: "compose.deploy", resource: "docker/compose/\(project)",
                arguments: ["project": .string(project), "content": .string(content), "pull": false, "up": false])
            return await Self.failure { () throws(DriverError) in try await driver.perform(call, Record().context) }
        }
        let claim = PlacedBind(NodeBind(source: folder.file("in"), isReadOnly: false), .now())
        try await driver.claims.holding([claim]) { () async throws(DriverError) in
            for refused in [await ensure(folder.path), await deploy(folder.path)] {
                #expect(refused?.code == .busy && refused?.retryable == true, "\(String(describing: refused))")
            }
            #expect(await deploy(folder.file("in/deeper"))?.code == .busy)
            #expect(await ensure(folder.file("beside")) == nil)
            #expect(await deploy(folder.file("beside")) == nil)
        }
        try await bench.bench.remove(name)
        #expect(await ensure(folder.path) == nil, "the claim outlives its order")
        try await bench.bench.remove(name)
    }

    @Test func `other drivers hear what containers see, running or not`() async throws {
        let bench = try await Workbench()
        let folder = try ScratchFolder("told")
        let name = Workbench.name("told")
        let claims = MountClaims()
        _ = DockerDriver(socket: bench.engine.socket, rights: Workbench.rights(bench.engine), claims: claims)
        func sees() async throws -> Bool {
            let below = PlacedBind(NodeBind(source: folder.file("in"), isReadOnly: false), .now())
            return try await claims.container(entangledWith: [below], .now())?.above.source == folder.path
        }
        #expect(try await !sees())
        try await bench.ensure(name, Self.mounts(folder.path))
        #expect(try await sees())
        try await bench.remove(name)
        #expect(try await !sees())
    }

    @Test func `a volume that is a folder of the node counts as one that writes there`() async throws {
        let bench = try await Workbench()
        let folder = try ScratchFolder("volume")
        #expect(mkdir(folder.file("in"), 0o755) == 0)
        let (volume, name) = (Workbench.name("volume"), Workbench.name("inner"))
        _ = try await bench.driver.engine.call(
            "POST", "/volumes/create",
            body: [
                "Name": .string(volume), "Driver": "local",
                "DriverOpts": ["type": "none", "o": "bind", "device": .string(folder.path)],
            ])
        let error = await Self.failure { () throws(DriverError) in
            try await bench.ensure(name, Self.mounts(folder.file("in")))
        }
        #expect(error?.code == .permissionDenied && error?.cause?.contains("can write to") == true)
        try await bench.perform("volume.remove", ["name": .string(volume), "unmanaged": true])
        try await bench.ensure(name, Self.mounts(folder.file("in")))
        try await bench.remove(name)
    }

    @Test func `a container that the engine made late is not started into another's way`() async throws {
        let bench = try await Workbench()
        let folder = try ScratchFolder("late")
        #expect(mkdir(folder.file("in"), 0o755) == 0)
        let (late, name) = (Workbench.name("late"), Workbench.name("inner"))
        try await bench.ensure(name, Self.mounts(folder.file("in")))
        let mount: JSONValue = ["Type": "bind", "Source": .string(folder.path), "Target": "/data"]
        _ = try await bench.driver.engine.call(
            "POST", "/containers/create", query: [("name", late)],
            body: [
                "Image": .string(Workbench.image), "Cmd": ["/bin/sleep", "100000"],
                "Labels": ["innkeeper.service": .string(late)],
                "HostConfig": ["Mounts": [mount], "NetworkMode": "none"],
            ])
        let error = await Self.failure { () throws(DriverError) in
            try await bench.perform("container.start", ["name": .string(late)])
        }
        #expect(error?.code == .permissionDenied, "\(String(describing: error))")
        for name in [late, name] { try await bench.remove(name) }
    }

    @Test func `a project's own containers write until they are down`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("own")
        let inner = ComposeBench.sleeper("volumes: [\"./a/b:/b\"]", name: "other")
        _ = try await bench.deploy(project, ComposeBench.sleeper("volumes: [\"./a:/a\"]"))
        let error = await bench.failure(project, inner, ["remove_orphans": false])
        #expect(error?.code == .permissionDenied && error?.cause?.contains("take it down first") == true)
        try await bench.perform("down", ["project": .string(project), "grace_s": 0])
        _ = try await bench.deploy(project, inner)
        try await bench.down(project)
    }

    @Test func `a file names what it mounts itself, not a link to it`() async throws {
        let bench = try await ComposeBench()
        let (folder, project) = (try ScratchFolder("linked"), Workbench.name("linked"))
        #expect(mkdir(folder.file("place"), 0o755) == 0)
        #expect(symlink(folder.file("place"), folder.file("link")) == 0)
        let driver = DockerDriver(
            socket: bench.bench.engine.socket, rights: Workbench.rights(bench.bench.engine),
            compose: ComposeSettings(root: bench.root))
        for (source, code) in [("link", DriverErrorCode.permissionDenied), ("place", nil)] {
            let content = ComposeBench.sleeper("volumes: [\"\(folder.file(source)):/x\"]")
            let call = ActionCall(
                action: "compose.deploy", resource: "docker/compose/\(project)",
                arguments: ["project": .string(project), "content": .string(content), "pull": false, "up": false])
            let error = await Self.failure { () throws(DriverError) in
                try await driver.perform(call, Record().context)
            }
            #expect(error?.code == code, "\(String(describing: error))")
        }
    }
}
