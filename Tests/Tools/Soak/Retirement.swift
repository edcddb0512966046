import APIModels
import HTTPFetch
import SimulatedFleet

/// The end of a node: nothing new is placed on it, what it measured is checked, it is revoked, its services are struck
/// off, and it is forgotten.
struct Retirement: Sendable {
    let agent: SimulatedAgent
    let crowd: Crowd
    let orders: Orders
    let site: Site
    let findings: Findings

    func run() async throws {
        let path = "/api/v1/nodes/\(agent.id)"
        orders.abandoned(node: agent.id)
        _ = try await site.front.model("POST", "\(path)/cordon", as: Node.self)
        _ = try await site.front.model("POST", "\(path)/revoke", #"{"reason":"soak"}"#, as: Node.self)
        try await expectCut()
        try await SampleCheck(front: site.front, findings: findings).check(agent.node, isComplete: false)
        for _ in 0..<30 {
            try await abandonServices()
            let status = try await site.front.send("DELETE", path).status
            if status == 204 || status == 404 { return }
            try await Task.sleep(for: .seconds(1))
        }
        findings.count("revoked nodes that could not be removed in time")
    }

    /// A revoked node is cut at once, and is not let in again.
    private func expectCut() async throws {
        for _ in 0..<100 where agent.isLinked { try await Task.sleep(for: .milliseconds(50)) }
        if agent.isLinked { findings.breach("node \(agent.id) stays linked although it is revoked") }
        let welcomed = agent.node.welcomes
        try? await agent.connect(port: site.ports.agents, on: crowd.group)
        try await Task.sleep(for: .milliseconds(300))
        if agent.node.welcomes > welcomed { findings.breach("revoked node \(agent.id) was let in again") }
        agent.cut(.reset)
    }

    private func abandonServices() async throws {
        let list = try await site.front.model(
            "GET", "/api/v1/services?node=\(agent.id)&limit=200", as: Listing<Service>.self)
        for service in list.items {
            orders.forget(service.id)
            _ = try await site.front.send("POST", "/api/v1/services/\(service.id)/abandon", #"{"reason":"soak"}"#)
        }
    }
}
