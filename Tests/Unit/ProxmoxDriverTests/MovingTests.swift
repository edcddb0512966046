import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct MovingTests {
    private func two(_ settings: JSONObject = [:]) async throws -> EmulatedNode {
        let node = try await EmulatedNode(["nodes": ["pveb"]])
        try await node.create(101, settings)
        return node
    }

    @Test func `a container moves once, and is found where it is`() async throws {
        let node = try await two()
        #expect(try await node.perform("container.migrate", ["target": "pveb"]).changed)
        #expect(node.text("etc/pve/nodes/pveb/lxc/101.conf") != nil && node.configuration() == nil)
        #expect(try await !node.perform("container.migrate", ["target": "pveb"]).changed)
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(error?.code == .notFound && error?.cause?.contains("node pveb") == true)
    }

    @Test func `one that runs moves by a restart, or not where that is not wanted`() async throws {
        let node = try await two(["start": true])
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("container.migrate", ["target": "pveb", "restart": false])
        }
        #expect(error?.code == .conflict)
        #expect(try await node.perform("container.migrate", ["target": "pveb"]).changed)
    }

    @Test func `a node that is not there, and the node itself`() async throws {
        let node = try await two()
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("container.migrate", ["target": "pvec"])
        }
        #expect(error?.code == .notFound)
        #expect(try await !node.perform("container.migrate", ["target": "pvelab"]).changed)
    }

    @Test func `what the HA manager moves is waited for`() async throws {
        let node = try await two()
        try node.write("ct:101\n\tstate stopped\n", to: "etc/pve/ha/resources.cfg")
        let work = Task { try await node.perform("container.migrate", ["target": "pveb"]) }
        #expect(await eventually { node.text("var/log/pve/tasks/active")?.contains(":hamigrate:101:") == true })
        let (old, new) = (
            node.folder.file("etc/pve/nodes/pvelab/lxc/101.conf"), node.folder.file("etc/pve/nodes/pveb/lxc/101.conf")
        )
        #expect(rename(old, new) == 0)
        #expect(try await work.value.observed["node"] == "pveb")
    }

    @Test func `a lock goes when its holder is dead, and stays while it lives`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        #expect(try await !node.perform("container.unlock").changed)
        let config = try #require(node.configuration())
        try node.write(config + "lock: backup\n\n[vzdump]\nsnaptime: 1\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        try node.isAtWork("vzdump", on: "101")
        let alive = await #expect(throws: DriverError.self) { try await node.perform("container.unlock") }
        #expect(alive?.code == .busy && alive?.retryable == true)
        try node.isAtWork("vzdump", on: "101", since: "00000007")
        #expect(try await node.perform("container.unlock").changed)
        #expect(node.configuration()?.contains("lock") == false && node.configuration()?.contains("vzdump") == false)
    }

    @Test func `node and cluster tell how they are`() async throws {
        let node = try await EmulatedNode(["nodes": ["pveb"]])
        let status = try await node.ask("node.status")
        #expect(status["version"] == "9.2.11" && status["processors"] == 2 && status["load"]?.asArray?.count == 3)
        #expect(status["memory_bytes"]?.asInteger ?? 0 > status["memory_used_bytes"]?.asInteger ?? .max)
        let cluster = try await node.ask("cluster.status")
        #expect(cluster["quorate"] == true && cluster["cluster"] == "lab")
        #expect(cluster["nodes"]?.asArray?.compactMap { $0["node"]?.asString } == ["pvelab", "pveb"])
        try node.set(["quorum": false])
        #expect(try await node.ask("cluster.status")["quorate"] == false)
    }
}
