import AgentCommands
import Model
import Sessions
import Store
import TestSupport
import Testing
import WireProtocol

@testable import ControllerEngine

/// The one place that every order to a node goes through.
@Suite struct ApprovalTests {
    @Test func `a node that nobody has approved gets looks without secrets, and nothing else`() async throws {
        let scratch = try ScratchFolder("approval")
        let store = try Store(path: scratch.file("store.sqlite"))
        try await store.insertNode(NodeRecord(id: "n1", name: "n1", enrolledAt: .now()))
        let ledger = Fleet.Ledger.store(store)
        func ask(_ id: String, look: Bool, secrets: JSONObject = [:]) async -> AgentError? {
            let order = AgentCommand(
                id: id, resource: "docker/web", generation: 0, driver: "docker", action: "container.ensure",
                secrets: secrets, isLook: look)
            do throws(AgentError) {
                _ = try await ledger.open(order, "n1")
                return nil
            } catch { return error }
        }
        #expect(await ask("c1", look: false) == .unapproved(node: "n1"))
        #expect(await ask("c2", look: true, secrets: ["env": ["A": "b"]]) == .unapproved(node: "n1"))
        #expect(await ask("c3", look: true) == nil)
        // What was refused was never written down as sent.
        #expect(try await store.command("c1") == nil)
        try await store.updateNode("n1") { $0.approvedAt = .now() }
        #expect(await ask("c1", look: false, secrets: ["env": ["A": "b"]]) == nil)
        #expect(!AgentError.unapproved(node: "n1").retryable)
        await store.close()
    }
}
