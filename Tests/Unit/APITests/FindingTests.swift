import APIModels
import ControllerCore
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Testing
import WireProtocol

@testable import API
@testable import HTTP

@Suite struct FindingTests {
    private static func raise(_ house: House, _ kind: String = "clock.ahead", node: String = "nod_1") async throws
        -> String
    {
        try await house.store.raise(
            Finding(
                kind, subject: "node/\(node)", .warning, node: node, summary: "The clock is ahead.",
                remedy: "Set the clock.", data: ["ahead_ms": 9000]), at: house.clock.time)
        return try #require(try await house.store.findings(FindingFilter(kind: kind)).items.first?.id)
    }

    @Test func `findings are listed with what to do, and settled by people`() async throws {
        let house = try await House()
        try await house.addNode()
        let id = try await Self.raise(house)
        let list = try await house.ask(.get, "/api/v1/findings?node=alpha").model(Listing<FindingView>.self)
        let found = try #require(list.items.first)
        #expect(found.nodeName == "alpha")
        #expect(found.id == id && found.state == "open" && found.severity == "warning")
        #expect(found.summary == "The clock is ahead." && found.remedy == "Set the clock.")
        #expect(found.since == HouseClock.start && found.lastSeen == HouseClock.start)
        let known = try await house.ask(.post, "/api/v1/findings/\(id)/acknowledge", #"{"note":"ordered"}"#)
            .model(FindingView.self)
        #expect(known.state == "acknowledged" && known.note == "ordered" && known.acknowledgedBy != nil)
        #expect(
            try await house.ask(.post, "/api/v1/findings/\(id)/resolve").model(FindingView.self).state == "resolved")
        #expect(try await house.ask(.post, "/api/v1/findings/\(id)/resolve").status == 409)
        #expect(try await house.ask(.get, "/api/v1/findings").model(Listing<FindingView>.self).items.isEmpty)
        let all = try await house.ask(.get, "/api/v1/findings?resolved=true").model(Listing<FindingView>.self)
        #expect(all.items.map(\.id) == [id])
        #expect(try await house.ask(.get, "/api/v1/findings/\(id)").model(FindingView.self).resolvedBy != nil)
        #expect(try await house.ask(.get, "/api/v1/findings/fnd_none").status == 404)
        let audit = try await house.ask(.get, "/api/v1/audit?subject=\(id)").model(Listing<AuditEntry>.self)
        #expect(Set(audit.items.map(\.action)) == ["finding.acknowledge", "finding.resolve"])
    }

    @Test func `who may only look settles nothing, and filters that match nothing by mistake are told`() async throws {
        let house = try await House()
        try await house.addNode()
        let id = try await Self.raise(house)
        let reader = try await house.key("read")
        #expect(try await house.ask(.get, "/api/v1/findings", key: reader).status == 200)
        #expect(try await house.ask(.post, "/api/v1/findings/\(id)/resolve", key: reader).status == 403)
        for path in ["findings", "node-events", "gaps", "inventory"] {
            #expect(try await house.ask(.get, "/api/v1/\(path)?node=alhpa").status == 404, "\(path)")
            #expect(try await house.ask(.get, "/api/v1/\(path)", key: "").status == 401, "\(path)")
            #expect(try await house.ask(.get, "/api/v1/\(path)?limit=1", key: reader).status == 200, "\(path)")
        }
        #expect(try await house.ask(.get, "/api/v1/findings?severity=worst").status == 400)
        #expect(try await house.ask(.get, "/api/v1/findings?service=none").status == 404)
    }

    @Test func `what nodes told is there, by node, service and kind`() async throws {
        let house = try await House()
        try await house.addNode()
        let service = try #require(await house.addService().service?.id)
        try await house.store.hold("docker/\(service)", on: "nod_1", for: service, at: house.clock.time)
        let seen: [(resource: String?, kind: String)] = [
            ("docker/\(service)", "container.die"), ("docker/other", "container.die"), (nil, "boot"),
        ]
        let reports = seen.enumerated().map { index, event in
            NodeEventReport(
                seq: Int64(index + 1), time: house.clock.time, driver: "docker", resource: event.resource,
                kind: event.kind, data: ["code": 1])
        }
        _ = try await house.store.take(
            Intake(
                node: "nod_1", events: reports,
                gaps: [
                    GapReport(
                        stream: .metrics, seqs: 1...4, from: house.clock.time, to: house.clock.time, reason: "full")
                ]))
        let large = JSONValue.string(String(repeating: "x", count: 10_000))
        try await house.store.recordInventory(
            InventoryReport(
                node: "nod_1", driver: "docker", generation: 1, isFull: true,
                items: [("docker/a", ["state": "running", "text": large]), ("docker/b", ["state": "exited"])]),
            at: house.clock.time)
        func events(_ query: String) async throws -> [String?] {
            try await house.ask(.get, "/api/v1/node-events?\(query)").model(Listing<NodeEventView>.self).items
                .map(\.resource)
        }
        #expect(try await events("node=alpha").count == 3)
        #expect(try await events("service=bill:1") == ["docker/\(service)"])
        #expect(try await events("kind=boot") == [nil])
        let gaps = try await house.ask(.get, "/api/v1/gaps?node=alpha&kind=metrics").model(Listing<GapView>.self)
        #expect(gaps.items.map(\.toSeq) == [4] && gaps.items.first?.reason == "full")
        #expect(try await house.ask(.get, "/api/v1/gaps?kind=usage").model(Listing<GapView>.self).items.isEmpty)
        let first = try await house.ask(.get, "/api/v1/inventory?node=alpha&limit=1")
            .model(Listing<InventoryItemView>.self)
        #expect(first.items.map(\.resource) == ["docker/a"] && first.items[0].state?["state"] == "running")
        #expect(first.items[0].state?["text"] == nil)
        let next = try #require(first.next)
        let second = try await house.ask(.get, "/api/v1/inventory?node=alpha&cursor=\(next)")
            .model(Listing<InventoryItemView>.self)
        #expect(second.items.map(\.resource) == ["docker/b"] && second.next == nil)
        let whole = try await house.ask(.get, "/api/v1/inventory?node=alpha&resource=docker/a")
            .model(Listing<InventoryItemView>.self)
        #expect(whole.items.first?.state?["text"] == large)
    }

    @Test func `a node that says much breaks no list`() async throws {
        let house = try await House()
        try await house.addNode()
        let text = JSONValue.string(String(repeating: "y", count: 800_000))
        for number in 1...10 {
            let id = try #require(await house.addService("bill:\(number)").service?.id)
            try await house.store.updateService(id, at: house.clock.time) {
                $0.observed = ["container": ["text": text], "drift": ["kind": "stopped"]]
            }
        }
        let operation = try #require(try await house.store.operations().items.first?.id)
        try await house.store.updateOperation(operation) {
            $0.result = ["observed": ["text": text]]
            $0.error = OperationFailure(
                code: "failed", message: String(repeating: "z", count: 800_000), retryable: false)
        }
        let services = try await house.ask(.get, "/api/v1/services?limit=500")
        #expect(services.body.count < 10 * 1024)
        let list = try services.model(Listing<Service>.self).items
        #expect(list.count == 10 && list.allSatisfy { $0.observed == nil && $0.spec == nil && $0.drift == "stopped" })
        #expect(try await house.ask(.get, "/api/v1/operations?limit=500").body.count < 10 * 1024)
        let one = try await house.ask(.get, "/api/v1/services/bill:1")
        #expect(one.body.count < 64 << 10)
        #expect(try one.model(Service.self).observed?["truncated"] == "container")
    }

    @Test func `what is measured has a name, a unit and a kind`() async throws {
        let house = try await House()
        let all = try await house.ask(.get, "/api/v1/metrics/catalogue").model(Listing<MetricDescription>.self).items
        let processor = try #require(all.first { $0.name == "*.cpu.seconds" })
        #expect(processor.kind == "counter" && processor.unit == "seconds" && processor.shownUnit == "cores")
    }

    @Test func `a counter of a service is a rate in lists, charts and its page`() async throws {
        let house = try await House()
        try await house.addNode()
        let id = try #require(await house.addService().service?.id)
        try await house.store.updateService(id, at: house.clock.time) { $0.node = "nod_1" }
        let rows = (0..<4).map { index in
            SampleRow(
                seq: Int64(index + 1), time: HouseClock.start - .seconds(40 - 10 * Int64(index)), set: "s",
                values: [5000 + Double(index) * 5])
        }
        _ = try await house.store.take(
            Intake(node: "nod_1", series: [SeriesSet(set: "s", names: ["container/\(id).cpu.seconds"])], samples: rows))
        let latest = try await house.ask(.get, "/api/v1/services/\(id)/metrics/latest").model(LatestMetrics.self)
        #expect(latest.values == ["cpu.seconds": 0.5] && latest.units == ["cpu.seconds": "cores"])
        let range = try await house.ask(.get, "/api/v1/services/\(id)/metrics?step=60000").model(MetricRange.self)
        let series = try #require(range.series.first)
        #expect(series.unit == "cores" && series.kind == "counter")
        #expect(series.points.allSatisfy { $0.value == 0.5 && $0.least == 0.5 && $0.most == 0.5 })
        #expect(!series.points.isEmpty)
    }
}
