import APIModels
import SimulatedFleet
import Store

/// After the churn: everybody comes back, everything is delivered, and both sides must agree on what there is.
struct Settlement: Sendable {
    let site: Site
    let crowd: Crowd
    let orders: Orders
    let findings: Findings

    func run() async throws {
        for agent in crowd.agents { agent.setReading(true) }
        let isSettled = try await waited(for: .seconds(240)) {
            await orders.look()
            return orders.open == 0 && crowd.agents.allSatisfy { $0.isLinked && $0.node.waitingResults == 0 }
        }
        if !isSettled { report() }
        for agent in crowd.agents {
            // The newest sample of a moment ago may be on its way: all before it must be there.
            try await SampleCheck(front: site.front, findings: findings).check(agent.node, isComplete: false)
        }
        try await compareServices()
        try await expectRealAgents()
        await blocking { site.stop() }
        let store = try Store(path: site.database)
        for agent in crowd.agents {
            try await SampleCheck(front: site.front, findings: findings).checkGaps(agent.node, in: store)
        }
        await store.close()
    }

    private func report() {
        let away = crowd.agents.filter { !$0.isLinked }.count
        if away > 0 { findings.breach("\(away) simulated agents did not come back") }
        let results = crowd.agents.reduce(0) { $0 + $1.node.waitingResults }
        if results > 0 { findings.breach("\(results) results of commands were never acknowledged") }
        if orders.open > 0 { findings.breach("\(orders.open) operations did not end") }
    }

    /// Each service that lives has one container and one data set on one node; nothing else is there.
    private func compareServices() async throws {
        var wanted: [String: String] = [:]
        var cursor = ""
        repeat {
            let page = try await site.front.model(
                "GET", "/api/v1/services?limit=200\(cursor)", as: Listing<Service>.self)
            for service in page.items where ["running", "suspended"].contains(service.state) {
                wanted[service.id] = service.node
            }
            cursor = page.next.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty
        var held: [String: String] = [:]
        for agent in crowd.agents {
            for name in agent.node.engine.containerNames {
                if held[name] != nil { findings.breach("service \(name) has two containers") }
                held[name] = agent.id
            }
        }
        findings.count("services compared with the nodes", wanted.count)
        for (service, node) in wanted where held[service] != node {
            findings.breach("service \(service) is not on \(node)")
        }
        for (service, node) in held where wanted[service] == nil { findings.breach("orphan of \(service) on \(node)") }
    }

    private func expectRealAgents() async throws {
        let isThere = try await waited(for: .seconds(60)) {
            let page = try? await site.front.model(
                "GET", "/api/v1/nodes?limit=500&state=connected", as: Listing<Node>.self)
            let ids = Set(crowd.agents.map(\.id))
            return (page?.items.count { !ids.contains($0.id) } ?? 0) >= site.agents.count
        }
        if !isThere { findings.breach("the real agents are not connected at the end") }
    }

    private func waited(for limit: Duration, _ condition: () async -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if await condition() { return true }
            try await Task.sleep(for: .milliseconds(500))
        }
        return await condition()
    }
}
