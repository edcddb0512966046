import APIModels
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Testing
import WireProtocol
@testable import API
@testable import HTTP

@Suite struct MetricsTests {
    /// Three samples of a node and of one service on it, 10 s apart.
    static func measured(_ house: House) async throws -> String {
        try await house.addNode()
        let id = try #require(await house.addService().service?.id)
        try await house.store.updateService(id, at: house.clock.time) {
            $0.node = "nod_1"
            $0.address["dataset"] = .string("tank/innkeeper/\(id)")
        }
        let names = [
            "host.cpu.user", "container/\(id).memory.used", "container/other.memory.used",
            "zfs/tank/innkeeper/\(id).used", "zfs/tank/innkeeper/other.used",
        ]
        var rows: [SampleRow] = []
        for index in 0..<3 {
            let value = Double(index)
            rows.append(
                SampleRow(
                    seq: Int64(index + 1), time: HouseClock.start - Duration.seconds(30 - 10 * index), set: "s1",
                    values: [value, 100 + value, 7, 2048 + value, 8]))
        }
        _ = try await house.store.take(
            Intake(node: "nod_1", series: [SeriesSet(set: "s1", names: names)], samples: rows))
        return id
    }

    @Test func `the newest figures of a node are all of them`() async throws {
        let house = try await House()
        let id = try await Self.measured(house)
        let latest = try await house.ask(.get, "/api/v1/nodes/alpha/metrics/latest").model(LatestMetrics.self)
        #expect(latest.time == HouseClock.start - .seconds(10))
        #expect(
            latest.values == [
                "host.cpu.user": 2, "container/\(id).memory.used": 102, "container/other.memory.used": 7,
                "zfs/tank/innkeeper/\(id).used": 2050, "zfs/tank/innkeeper/other.used": 8,
            ])
        let host = try await house.ask(.get, "/api/v1/nodes/alpha/metrics/latest?name=host.*").model(LatestMetrics.self)
        #expect(host.values == ["host.cpu.user": 2])
    }

    @Test func `a service sees its own figures, by their short names`() async throws {
        let house = try await House()
        let id = try await Self.measured(house)
        let latest = try await house.ask(.get, "/api/v1/services/\(id)/metrics/latest").model(LatestMetrics.self)
        #expect(latest.values == ["memory.used": 102, "dataset.used": 2050])
        let some = try await house.ask(
            .get, "/api/v1/services/\(id)/metrics/latest?name=dataset.*"
        ).model(LatestMetrics.self)
        #expect(some.values == ["dataset.used": 2050])
        let names = try await house.ask(.get, "/api/v1/services/\(id)/metrics/names").model(MetricNames.self)
        #expect(names.names == ["dataset.used", "memory.used"])
        let service = try await house.ask(.get, "/api/v1/services/\(id)").model(Service.self)
        #expect(service.metrics == latest.values)
    }

    @Test func `a range has a point for each step that was measured`() async throws {
        let house = try await House()
        let id = try await Self.measured(house)
        let range = try await house.ask(
            .get, "/api/v1/services/\(id)/metrics?name=memory.used&step=10000"
        ).model(MetricRange.self)
        #expect(range.step == 10_000)
        let series = try #require(range.series.first)
        #expect(series.name == "memory.used" && series.points.map(\.value) == [100, 101, 102])
        let times = series.points.map { HouseClock.start.milliseconds - $0.milliseconds }
        #expect(times == [30_000, 20_000, 10_000])
        for (name, series) in [
            ("*", ["dataset.used", "memory.used"]), ("d*", ["dataset.used"]), ("dataset.used", ["dataset.used"]),
            ("m*", ["memory.used"]), ("dataset.quota", []), ("host.*", []), ("zfs/*", []),
        ] {
            let found = try await house.ask(
                .get, "/api/v1/services/\(id)/metrics?name=\(name)&step=10000"
            ).model(MetricRange.self)
            #expect(found.series.map(\.name).sorted() == series, "\(name)")
        }
        let none = try await house.ask(
            .get, "/api/v1/services/\(id)/metrics?from=2000&to=5000&step=1000"
        ).model(MetricRange.self)
        #expect(none.series.allSatisfy { $0.points.isEmpty })
    }

    @Test func `a service that was never placed has no figures`() async throws {
        let house = try await House()
        let id = try #require(await house.addService().service?.id)
        let latest = try await house.ask(.get, "/api/v1/services/\(id)/metrics/latest").model(LatestMetrics.self)
        #expect(latest.values.isEmpty && latest.time == nil)
        #expect(try await house.ask(.get, "/api/v1/services/\(id)/metrics/names").model(MetricNames.self).names == [])
        #expect(try await house.ask(.get, "/api/v1/services/\(id)/metrics").status == 200)
    }

    @Test(arguments: [
        "from=5&to=4", "from=x", "step=10", "step=0", "name=", "from=1000&to=9999999999999&step=1000",
    ])
    func `a question that makes no sense is refused`(query: String) async throws {
        let house = try await House()
        _ = try await Self.measured(house)
        #expect(try await house.ask(.get, "/api/v1/nodes/alpha/metrics?\(query)").status == 400)
    }

    @Test func `Prometheus finds counters, for a key that may look`() async throws {
        let house = try await House()
        try await house.addNode()
        _ = try await house.ask(.get, "/api/v1/nodes/none")
        let page = try await house.ask(.get, "/metrics", key: house.key("read"))
        #expect(page.text.contains("innkeeper_nodes{state=\"never\"} 1"))
        #expect(page.text.contains("route=\"/api/v1/nodes/{node}\",status=\"404\"} 1"))
        #expect(try await house.ask(.get, "/metrics", key: "").status == 401)
    }
}
