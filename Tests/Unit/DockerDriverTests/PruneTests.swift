import DriverKit
import TestSupport
import Testing
import WireProtocol

/// An engine of its own, because a prune takes what is there.
@Suite(.serialized) struct PruneTests {
    @Test func `what nobody uses goes, what a service or a stopped container needs stays`() async throws {
        let engine = try await DockerEngine.start()
        let bench = try await Workbench(engine: engine)
        try await bench.ensure("suspended", ["running": false])
        try await engine.createUnmanaged("forgotten", image: Workbench.image)
        try await engine.createUnmanaged("busy", image: Workbench.image)
        try await engine.post("/containers/busy/start")
        try await engine.post(
            "/containers/create?name=stack",
            [
                "Image": .string(Workbench.image), "Cmd": ["/bin/true"],
                "Labels": ["com.docker.compose.project": "stack"], "HostConfig": ["NetworkMode": "none"],
            ])
        try await engine.post("/networks/create", ["Name": "idle"])
        try await engine.post("/volumes/create", ["Name": "named"])
        try await bench.perform("volume.ensure", ["name": "kept"])

        let trial = try await bench.perform("container.prune", ["dry_run": true])
        #expect(trial.observed["found"] == ["forgotten"])
        #expect(try await bench.perform("container.prune", ["older_than_s": 3600]).observed["removed"] == [])
        #expect(try await bench.perform("container.prune", [:]).observed["removed"] == ["forgotten"])
        #expect(try await !bench.perform("container.prune", [:]).changed)
        #expect(try await bench.perform("container.prune", ["all": true]).observed["removed"] == ["stack"])
        #expect(try await bench.state("suspended")["state"] == "created")
        #expect(try await bench.state("busy")["state"] == "running")

        #expect(try await bench.perform("network.prune", [:]).observed["removed"] == ["idle"])
        #expect(try await bench.perform("volume.prune", [:]).observed["removed"] == [])
        #expect(try await bench.perform("volume.prune", ["all": true]).observed["removed"] == ["named"])
        #expect(try await bench.perform("volume.inspect", ["name": "kept"]).observed["name"] == "kept")

        try await bench.perform(
            "image.import", ["reference": "unused/image:1", "path": .string(engine.busybox)])
        #expect(try await bench.perform("image.prune", [:]).observed["removed"] == [])
        let images = try await bench.perform("image.prune", ["all": true, "dry_run": true]).observed["found"]
        #expect(images?.asArray?.contains(.string(Workbench.image)) == false)
        #expect(try await bench.perform("image.prune", ["all": true]).changed)
        for name in ["suspended", "busy"] { try await bench.remove(name) }
        await engine.stop()
    }
}
