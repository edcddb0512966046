import DriverKit
import Glibc
import HelmDriver
import TestSupport
import Testing
import WireProtocol

/// Releases over which a Helm has died, and clusters that go away.
@Suite struct HealingTests {
    /// A release whose first revision is in force and whose second is pending, by a Helm that was killed.
    func stuckUpgrade(_ node: KubernetesNode) async throws -> DriverError? {
        try await node.install()
        try node.set(["die": ["helm upgrade": 9]])
        let error = await refusal {
            try await node.perform("upgrade", ["chart": node.chart("1.1.0"), "wait": false])
        }
        try node.set([:])
        return error
    }

    @Test func `a Helm that is killed leaves an unknown outcome, and the next change frees the release`() async throws {
        let node = try await KubernetesNode()
        let error = try await stuckUpgrade(node)
        #expect(error?.code == .unknownOutcome && error?.retryable == true && error?.changed == true)
        #expect(
            error?.message.contains("killed by signal 9") == true && error?.message.contains("pending-upgrade") == true)
        #expect(try await node.statuses() == ["deployed", "pending-upgrade"])
        let outcome = try await node.perform("upgrade", ["chart": node.chart("1.1.0"), "wait": false])
        #expect(outcome.changed && outcome.observed["chart"] == "store-1.1.0" && outcome.observed["revision"] == 4)
    }

    @Test func `a first install that died is removed, and installed anew`() async throws {
        let node = try await KubernetesNode(["die": ["helm upgrade": 15]])
        #expect(await refusal { try await node.install() }?.code == .unknownOutcome)
        try node.set([:])
        let outcome = try await node.install()
        #expect(outcome.changed && outcome.observed["revision"] == 1)
        #expect(try node.calls(of: "helm", "uninstall").count == 1)
    }

    @Test func `what somebody else left pending is his for a while`() async throws {
        let node = try await KubernetesNode()
        _ = try await stuckUpgrade(node)
        // Another agent's driver: it has no memory of whose Helm it was.
        let stranger = HelmDriver(tools: node.driver.tools, version: "3.21.4", pause: .milliseconds(50))
        let error = await refusal { try await stranger.perform(node.call("heal"), node.context) }
        #expect(error?.code == .busy && error?.retryable == true)
        #expect(await refusal { try await stranger.perform(node.call("rollback"), node.context) }?.code == .busy)
        #expect(await refusal { try await stranger.perform(node.call("uninstall"), node.context) }?.code == .busy)
        let healed = try await stranger.perform(node.call("heal", ["min_age_s": 0]), node.context)
        #expect(healed.changed && healed.observed["status"] == "deployed" && healed.observed["chart"] == "store-1.0.0")
        #expect(try await !stranger.perform(node.call("heal", ["min_age_s": 0]), node.context).changed)
    }

    @Test func `what an agent left pending before it was started again is nobody's`() async throws {
        let node = try await KubernetesNode()
        _ = try await stuckUpgrade(node)
        let reborn = HelmDriver(tools: node.driver.tools, version: "3.21.4")
        await reborn.recover([
            AbandonedCommand(id: "c1", action: "release.upgrade", resource: "helm/\(node.namespace)/shop"),
            AbandonedCommand(id: "c2", action: "release.logs", resource: "helm/\(node.namespace)/other"),
        ])
        #expect(try await reborn.perform(node.call("heal"), node.context).changed)
    }

    @Test func `a Helm that still works on this node is not disturbed`() async throws {
        let node = try await KubernetesNode()
        _ = try await stuckUpgrade(node)
        try node.set(["hang": ["helm rollback": 600]])
        let other = try BackgroundProgram(
            "\(node.folder.path)/usr/local/bin/helm", ["rollback", "--namespace", node.namespace, "--", "shop", "1"],
            log: node.folder.file("other.log"))
        #expect(await node.reached("helm rollback hanging"))
        let error = await refusal { try await node.perform("heal", ["min_age_s": 0]) }
        #expect(error?.code == .busy && error?.message.contains("another helm on this node") == true)
        kill(other.pid, SIGKILL)
        waitpid(other.pid, nil, 0)
        try node.set([:])
        #expect(try await node.perform("heal", ["min_age_s": 0]).changed)
    }

    @Test(arguments: ["before", "pending", "objects"])
    func `a cluster that goes away half-way leaves an unknown outcome, and asking again ends well`(point: String)
        async throws
    {
        let node = try await KubernetesNode(["away": ["helm upgrade": .string(point)]])
        let error = await refusal { try await node.install(wait: true) }
        #expect(error?.code == .unknownOutcome && error?.retryable == true && error?.changed == true)
        #expect(error?.cause?.contains("cluster does not answer") == true, "\(String(describing: error))")
        #expect(await refusal { try await node.install(wait: true) }?.code == .unavailable)
        unlink(node.folder.file("var/away"))
        try node.set([:])
        #expect(try await node.install(wait: true).observed["ready"] == true)
    }

    @Test func `a cluster that does not answer for a while does not end the waiting`() async throws {
        let node = try await KubernetesNode(["pods": "Pending"])
        let task = Task { try await node.install(wait: true) }
        #expect(await eventually { ((try? node.calls(of: "kubectl", "get").count) ?? 0) > 0 })
        try node.folder.write([], to: "var/away")
        let before = try node.calls().count
        #expect(await eventually { ((try? node.calls().count) ?? 0) > before + 3 })
        unlink(node.folder.file("var/away"))
        try node.set([:])
        #expect(try await task.value.observed["ready"] == true)
    }

    @Test func `without a cluster everything says so, and nothing is changed`() async throws {
        let node = try await KubernetesNode(["cluster": false])
        for operation in ["status", "history", "ready", "events", "logs", "uninstall", "rollback", "heal"] {
            let error = await refusal { try await node.perform(operation) }
            #expect(error?.code == .unavailable && error?.retryable == true && error?.changed == false, "\(operation)")
        }
        #expect(await node.driver.facts() == ["cluster_answers": false, "marks": true])
        #expect(await #expect(throws: DriverError.self) { try await node.driver.inventory() }?.code == .unavailable)
    }
}
