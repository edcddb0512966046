import APIModels
import FaultProxy
import SiteSupport
import TestSupport
import Testing

/// The life of a service on real engines while the link between the daemons is bad.
@Suite(.serialized, .site, .timeLimit(.minutes(30))) struct `Services in bad weather` {
    static let all = PlannedWeather.plans(
        Torture.isOn ? FaultProfile.allCases : [.mixed], quick: 1...1, long: 1...5, connections: 2)

    @Test(arguments: all)
    func `a service's life goes on as ordered, and nothing is done twice`(weather: PlannedWeather) async throws {
        let site = try await Site.undisturbed
        let name = "weather-\(weather.plan)".map { $0 == ":" ? "-" : String($0) }.joined()
        try await site.apply(plan: name, image: "site/\(name):1")
        // A new process, so that its waits begin with the shortest.
        try await site.agent.restart()
        try await site.settle()
        let before = try site.gate.effects
        await site.link.follow(weather.plan)
        await site.link.cut()
        let created = try await ended(site, site.create(name, plan: name))
        let service = try #require(created.service)
        try await site.expectWhole(service)
        for (verb, state) in [("suspend", "exited"), ("resume", "running")] {
            _ = try await ended(site, site.front.post("/api/v1/services/\(service)/\(verb)"))
            try await site.expectWhole(service, state: state)
        }
        _ = try await ended(site, site.front.post("/api/v1/services/\(service)/terminate"))
        try await site.expectGone(service)
        let effects = Array(try site.gate.effects.dropFirst(before.count))
        for action in ["docker create", "docker remove", "docker stop", "zfs create", "zfs snapshot"] {
            // The first service of a node finds no dataset that those of services lie in.
            let makesParent = action == "zfs create" && !before.contains { $0.hasPrefix(action) }
            #expect(effects.filter { $0.hasPrefix(action) }.count <= (makesParent ? 2 : 1), "\(effects)")
        }
        #expect(effects.filter { $0.hasPrefix("docker start") }.count == 2, "\(effects)")
        let strikes = await site.link.strikes
        await site.link.follow(.none)
        let calm = ContinuousClock.now
        try await site.settle()
        print("\(weather.plan): \(strikes), settled within \(ContinuousClock.now - calm)")
    }

    private func ended(
        _ site: Site, _ accepted: AcceptedOperation, at location: SourceLocation = #_sourceLocation
    ) async throws -> APIModels.Operation {
        let operation = try await site.front.ended(accepted.operation.id)
        #expect(operation.state == "succeeded", "\(operation.error?.message ?? "")", sourceLocation: location)
        // Choosing a place waits for the node to come back.
        let work = operation.steps?.filter { $0.name != "place" } ?? []
        #expect(!work.isEmpty && work.allSatisfy { $0.attempts == 1 }, sourceLocation: location)
        return operation
    }
}
