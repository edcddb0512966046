import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct PowerTests {
    @Test(arguments: [
        "container.stop", "container.shutdown", "container.restart", "snapshot.rollback", "container.set",
    ])
    func `a lock that has died is told alike by every operation`(_ operation: String) async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true, "rootfs": ["storage": "labzfs", "size_gib": 1]])
        try await node.perform("snapshot.ensure", ["snapshot": "one"])
        let config = try #require(node.configuration())
        try node.write("lock: backup\n" + config, to: "etc/pve/nodes/pvelab/lxc/101.conf")
        let more: JSONObject =
            operation == "snapshot.rollback"
            ? ["snapshot": "one"] : operation == "container.set" ? ["memory_mib": 256] : [:]
        let dead = await #expect(throws: DriverError.self) { try await node.perform(operation, more) }
        #expect(dead?.code == .busy && dead?.retryable == false)
        try node.isAtWork("vzdump", on: "101")
        let alive = await #expect(throws: DriverError.self) { try await node.perform(operation, more) }
        #expect(alive?.code == .busy && alive?.retryable == true)
    }

    @Test func `started and stopped twice, the second time changes nothing`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        #expect(try await node.perform("container.start").changed)
        #expect(try await !node.perform("container.start").changed)
        #expect(try await node.perform("container.inspect").observed["status"] == "running")
        #expect(try await node.perform("container.stop").changed)
        #expect(try await !node.perform("container.stop").changed)
        #expect(try await !node.perform("container.shutdown").changed)
    }

    @Test func `a container that does not end is stopped, or left running where that was asked`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true])
        try await node.perform("container.exec", ["command": ["sh", "-c", "echo 9999 > /etc/shutdown-delay"]])
        let gently: JSONObject = ["timeout_s": 5, "force": false]
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.shutdown", gently) }
        #expect(error?.code == .timedOut && error?.retryable == true)
        #expect(try await node.perform("container.inspect").observed["status"] == "running")
        let end = try await node.perform("container.shutdown", ["timeout_s": 5])
        #expect(end.changed && end.observed["status"] == "stopped")
    }

    @Test func `a restart gives another run, and starts what was stopped`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true])
        let before = node.text("run/pve/101.json")
        #expect(try await node.perform("container.restart").observed["status"] == "running")
        #expect(node.text("run/pve/101.json") != before)
        try await node.perform("container.stop")
        #expect(try await node.perform("container.restart").observed["status"] == "running")
    }

    @Test func `a start that fails tells the reason from the log`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let config = try #require(node.configuration())
        try node.write(
            config + "net0: name=eth0,bridge=vmbr0,type=veth\nnet1: name=eth0,bridge=vmbr0,type=veth\n",
            to: "etc/pve/nodes/pvelab/lxc/101.conf")
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(error?.code == .failed && error?.retryable == false)
        #expect(error?.cause?.contains("startup for container") == true)
    }

    @Test func `a lock of nobody is not retried, one of a living task is`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let config = try #require(node.configuration())
        try node.write(config + "lock: backup\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        let dead = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(dead?.code == .busy && dead?.retryable == false)
        try node.isAtWork("vzdump", on: "101")
        let alive = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(alive?.code == .busy && alive?.retryable == true)
    }

    @Test func `what the HA manager does later is waited for`() async throws {
        let node = try await EmulatedNode(["ha_manager": true, "ha_delay": 20])
        try await node.create()
        try node.write("ct:101\n\tstate stopped\n", to: "etc/pve/ha/resources.cfg")
        let work = Task { try await node.perform("container.start") }
        let ticker = Task { while !Task.isCancelled { _ = try? await node.pct("list") } }
        #expect(try await work.value.observed["status"] == "running")
        ticker.cancel()
        _ = await ticker.value
    }

    @Test func `what the HA manager never does is no success`() async throws {
        let node = try await EmulatedNode(patience: .seconds(1))
        try await node.pct("create", "101", EmulatedNode.template, "--rootfs", "local:1")
        try node.write("ct:101\n\tstate stopped\n", to: "etc/pve/ha/resources.cfg")
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(error?.code == .unavailable && error?.cause?.contains("never") == true)
    }

    @Test func `without quorum and without its file system the cluster is unavailable`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        try node.set(["quorum": false])
        let quorum = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(quorum?.code == .unavailable && quorum?.retryable == true)
        try node.set(["cluster_fs": false])
        let files = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(files?.code == .unavailable && files?.retryable == true)
    }

    @Test func `what is not there, or elsewhere, is not found`() async throws {
        let node = try await EmulatedNode()
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(error?.code == .notFound)
        try node.write("name: vm\n", to: "etc/pve/nodes/pvelab/qemu-server/101.conf")
        let elsewhere = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(elsewhere?.cause?.contains("VM 101 on node pvelab") == true)
    }
}
