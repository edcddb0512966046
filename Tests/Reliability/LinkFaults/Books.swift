import Metering
import Model
import Store
import Testing
import WireProtocol

/// What the store has of the truth, and what it says is missing.
struct Books: Sendable {
    var samples: [TruthDriver.Taken] = []
    var events: [TruthDriver.Taken] = []
    /// How many reports of usage were acknowledged.
    var usageReports: Int64
    var gaps: [GapRecord]
    var used: Int64?
    /// The sum over all windows.
    var counted: Int64

    init(_ store: Store, driver: TruthDriver) async throws {
        usageReports = try await store.positions(node: AgentPlace.node).usage ?? 0
        var request = PageRequest(limit: PageRequest.maximum)
        gaps = try await store.gaps(node: AgentPlace.node, page: request).items
        while true {
            let page = try await store.events(node: AgentPlace.node, page: request)
            events += page.items.filter { $0.kind == "tick" }.map {
                TruthDriver.Taken(number: $0.data["number"]?.asInteger ?? -1, time: $0.time)
            }
            guard let next = page.next else { break }
            request.after = next
        }
        let start = Timestamp(milliseconds: (driver.samples.first?.time.milliseconds ?? 1000) - 1000)
        samples = try await Self.samples(store, from: start)
        used = try await store.usageCounters(subject: "thing/a").first?.value
        counted = try await store.usageWindows(subject: "thing/a", from: start - .seconds(7200), to: .now())
            .map(\.amount).reduce(0, +)
    }

    /// Every sample by itself: no two are taken within one step.
    private static func samples(_ store: Store, from start: Timestamp) async throws -> [TruthDriver.Taken] {
        var samples: [TruthDriver.Taken] = []
        var from = start
        while from < .now() {
            let query = MetricQuery(
                node: AgentPlace.node, names: ["truth.number"], from: from, to: from + .seconds(60),
                step: .milliseconds(1))
            for point in try await store.metrics(query).first?.points ?? [] {
                #expect(point.aggregate.count == 1)
                samples.append(TruthDriver.Taken(number: Int64(point.aggregate.last), time: point.time))
            }
            from = from + .seconds(60)
        }
        return samples
    }

    func missing(_ stream: String) -> Int64 {
        gaps.filter { $0.kind == stream }.map { $0.toSeq - $0.fromSeq + 1 }.reduce(0, +)
    }
}
