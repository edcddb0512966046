import DockerDriver
import DriverKit
import Glibc
import SwagDriver
import TestSupport
import Testing
import WireProtocol

/// The container is found on a real engine, and its own nginx is asked.
@Suite struct ContainerTests {
    @Test func `a SWAG container is found by its image, and nothing is written while it is still`() async throws {
        let engine = try await DockerEngine.start()
        let images = String(engine.busybox[..<(engine.busybox.lastIndex(of: "/") ?? engine.busybox.startIndex)])
        let docker = DockerDriver(
            socket: engine.socket, rights: NodeRights(mountRoots: ["/tmp"], imageRoots: [images]))
        #expect(await SwagDriver.detect(docker: docker, container: nil) == nil)
        let folder = try ScratchFolder("swag")
        try ProxySite.fill(folder)
        let programs = try ScratchFolder("swag-programs")
        let nginx = try programs.write(Array("#!/bin/sh\necho \"$@\" >> /config/asked\n".utf8), to: "fake-nginx")
        chmod(nginx, 0o755)
        func prepare(_ operation: String, _ arguments: JSONObject) async throws {
            _ = try await docker.perform(
                ActionCall(action: operation, resource: "docker/x", arguments: arguments), ProxySite.context)
        }
        let image = "linuxserver/swag:test"
        try await prepare("image.import", ["reference": .string(image), "path": .string(engine.busybox)])
        try await prepare(
            "container.ensure",
            [
                "name": "proxy", "image": .string(image), "command": ["/bin/sleep", "100000"],
                "mounts": [
                    ["source": .string(folder.path), "target": "/config"],
                    ["source": .string(nginx), "target": "/bin/nginx"],
                ],
            ])
        let driver = try #require(await SwagDriver.detect(docker: docker, container: nil))
        func perform(_ operation: String, _ arguments: JSONObject = [:]) async throws -> ActionOutcome {
            try await driver.perform(
                ActionCall(action: operation, resource: "swag/x", arguments: arguments), ProxySite.context)
        }
        let found = try await perform("installation.inspect").observed
        #expect(found["container"] == "proxy" && found["folder"] == .string(folder.path))
        let order = ProxySite.order("shop", ["shop.example.org"])
        let stranger = await #expect(throws: DriverError.self) { try await perform("config.ensure", order) }
        #expect(stranger?.code == .conflict)
        let known = ProxySite.order("shop", ["shop.example.org"], ["any_upstream": true])
        #expect(try await perform("config.ensure", known).changed)
        #expect(String(decoding: try folder.read("asked"), as: UTF8.self) == "-t\n-t\n-s reload\n")
        let file = "nginx/proxy-confs/shop.subdomain.conf"
        #expect(String(decoding: try folder.read(file), as: UTF8.self).contains("include /config/nginx/ssl.conf;"))
        try await prepare("container.stop", ["name": "proxy", "grace_s": 0])
        let still = await #expect(throws: DriverError.self) { try await perform("config.remove", ["name": "shop"]) }
        #expect(still?.code == .unavailable)
        #expect(still?.retryable == true)
        #expect(access(folder.file(file), F_OK) == 0)
        await engine.stop()
    }
}
