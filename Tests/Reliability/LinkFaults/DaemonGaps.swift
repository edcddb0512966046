import APIModels
import FaultProxy
import Metering
import Model
import SiteSupport
import Store
import TestSupport
import Testing

/// The gap matrix with real daemons, which are killed and not asked to end.
@Suite(.timeLimit(.minutes(10))) struct `The gap matrix of the daemons` {
    private static let order: [Upset] = [
        .cut, .agentRestarts, .controllerRestarts, .silence, .bothRestart, .agentFirst, .controllerFirst,
    ]

    @Test(arguments: Torture.isOn ? 1...10 : 1...1)
    func `every numbered sample is stored once with its time, and the counter is exact`(seed: Int) async throws {
        let node = try await Measured()
        var chance = Chance(seed: UInt64(seed))
        let order = Torture.isOn ? Self.order.shuffled(using: &chance) : [.cut, .agentRestarts, .bothRestart]
        for (index, upset) in order.enumerated() {
            try node.count(milliseconds: (index + 1) * 1000)
            try await strike(upset, node)
            try await node.installation.settle()
        }
        let used = order.count * 1000 + 123
        try node.count(milliseconds: used)
        let kills = order.filter { [.agentRestarts, .bothRestart, .agentFirst, .controllerFirst].contains($0) }.count
        try await expectTruth(node, used: Int64(used), kills: kills)
        await node.installation.stop()
    }

    private func strike(_ upset: Upset, _ node: Measured) async throws {
        let (agent, controller) = (node.agent, node.installation.controller)
        switch upset {
        case .cut: try await node.installation.link.storm(every: .milliseconds(300), times: 5)
        case .silence: await node.installation.link.fallSilent(for: .seconds(5))
        case .agentRestarts: try await agent.restart()
        case .controllerRestarts:
            await controller.kill()
            try await Task.sleep(for: .seconds(2))
            try controller.start()
        case .agentFirst, .controllerFirst, .bothRestart:
            await agent.kill()
            await controller.kill()
            if upset == .controllerFirst { try controller.start() } else { try agent.start() }
            try await Task.sleep(for: .seconds(upset == .bothRestart ? 0 : 2))
            if upset == .controllerFirst { try agent.start() } else { try controller.start() }
        }
    }

    private func expectTruth(_ node: Measured, used: Int64, kills: Int) async throws {
        let id = try node.installation.node()
        let subject = "docker/abababababab"
        guard
            await eventually(
                within: .seconds(60),
                {
                    guard let store = try? await node.store() else { return false }
                    let value = try? await store.usageCounters(subject: subject).first?.value
                    await store.close()
                    return value == used
                })
        else { throw SetupFailure("the counter does not arrive") }
        // An agent that ends says all that it has; what it sends last is stored when it is asked for nothing more.
        await node.agent.stop()
        let taken = try node.taken()
        try node.agent.start()
        guard await eventually(within: .seconds(60), { await self.position(node, id) >= taken }) else {
            throw SetupFailure("the samples do not arrive")
        }
        let store = try await node.store()
        let samples = try await samples(store, id)
        let gaps = try await store.gaps(node: id).items
        #expect(gaps.filter { $0.kind == "metrics" }.isEmpty)
        // One number for each kill; two that follow each other may be told as one gap.
        let killed = gaps.filter { $0.kind == "events" }.map { $0.toSeq - $0.fromSeq + 1 }.reduce(0, +)
        #expect(killed == Int64(kills), "\(gaps)")
        let position = try await store.positions(node: id).metrics ?? 0
        // Live samples may have come behind a hole that the copy was taken in.
        #expect(Int64(samples.count) >= position && position >= taken)
        let start = samples.map { Double($0.time.milliseconds) / 1000 - $0.uptime }
        #expect((start.max() ?? 0) - (start.min() ?? 0) < 1, "the times have moved")
        let windows = try await store.usageWindows(subject: subject, from: Timestamp(milliseconds: 0), to: .now())
        // It is no service's: it is remembered, told and not counted.
        #expect(windows.isEmpty)
        #expect(try await store.findings(FindingFilter(kind: "usage.strangers", node: id)).items.count == 1)
        await store.close()
    }

    private func position(_ node: Measured, _ id: String) async -> Int64 {
        guard let store = try? await node.store() else { return 0 }
        let position = try? await store.positions(node: id).metrics
        await store.close()
        return position ?? 0
    }

    private func samples(_ store: Store, _ id: String) async throws -> [(time: Timestamp, uptime: Double)] {
        let query = MetricQuery(
            node: id, names: ["host.uptime"], from: .now() - .seconds(400), to: .now(), step: .milliseconds(1))
        return try await store.metrics(query).first?.points.map { ($0.time, $0.aggregate.last) } ?? []
    }
}
