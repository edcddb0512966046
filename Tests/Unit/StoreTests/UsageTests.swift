import Metering
import Model
import Testing
import WireProtocol

@testable import Store

@Suite(.onEveryEngine) struct `Usage is counted` {
    let fixture: StoreFixture
    var store: Store { fixture.store }
    private let day: Int64 = 86_400

    init() throws { fixture = try StoreFixture() }

    private func report(
        _ seq: Int64, _ seconds: Int64, _ value: Int64, subject: String = "docker/s1", epoch: String = "e1"
    ) -> UsageReport {
        UsageReport(
            seq: seq, time: fixture.at(seconds),
            counters: [.init(subject: subject, meter: "cpu_ms", epoch: epoch, value: value)])
    }

    private func send(_ reports: [UsageReport], from node: String = "n1", at seconds: Int64 = 0) async throws {
        _ = try await store.take(Intake(node: node, receivedAt: fixture.at(seconds), usage: reports))
    }

    private func counted(_ service: String) async throws -> Int64 {
        try await store.usageWindows(
            service: service, from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: .max)
        ).map(\.amount).reduce(0, +)
    }

    private func findings() async throws -> [String: FindingRecord] {
        let open = try await store.findings(FindingFilter(state: .open)).items
        return Dictionary(open.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    }

    @Test func `only from the node where the service is placed, and the rest is told`() async throws {
        try await fixture.node("n1")
        try await fixture.node("n2")
        try await store.hold("docker/s1", on: "n1", for: "s1", at: fixture.at(0))
        try await send([report(1, 60, 5000)], at: 60)
        // Another node says that it runs the same: first nothing, then all there can be.
        try await send(
            [report(1, 10, 0), report(2, 20, .max), report(3, 30, 70, subject: "docker/db")], from: "n2", at: 60)
        #expect(try await counted("s1") == 5000)
        let all = try await store.usageWindows(
            subject: "docker/db", from: Timestamp(milliseconds: 0), to: fixture.at(1_000_000))
        #expect(all.isEmpty)
        let found = try await findings()
        #expect(Set(found.keys) == ["usage.elsewhere", "usage.strangers"])
        #expect(found["usage.elsewhere"]?.node == "n2" && found["usage.elsewhere"]?.severity == .warning)
        #expect(found["usage.elsewhere"]?.data["subject"] == "docker/s1")
        #expect(found["usage.strangers"]?.severity == .info)
    }

    @Test func `for the service that was there then, also when it comes late`() async throws {
        try await store.hold("docker/a", on: "n1", for: "s1", at: fixture.at(0))
        try await store.releaseAll(service: "s1", at: fixture.at(10_000))
        try await store.hold("docker/a", on: "n2", for: "s1", at: fixture.at(10_000))
        try await store.hold("docker/a", on: "n1", for: "s2", at: fixture.at(20_000))
        try await send([report(1, 5000, 100, subject: "docker/a")], at: 30_000)
        try await send([report(2, 15_000, 1000, subject: "docker/a", epoch: "e2")], at: 30_000)
        try await send([report(3, 25_000, 30, subject: "docker/a", epoch: "e3")], at: 30_000)
        try await send([report(1, 12_000, 7, subject: "docker/a")], from: "n2", at: 30_000)
        #expect(try await counted("s1") == 107)
        #expect(try await counted("s2") == 30)
        let nodes = try await store.usageWindows(service: "s1", from: fixture.at(0), to: fixture.at(90_000)).map(\.node)
        #expect(Set(nodes) == ["n1", "n2"])
        // Between the two it was nobody's.
        #expect(try await findings()["usage.elsewhere"]?.data["value"] == 1000)
    }

    @Test func `from the moment on that something is a service's`() async throws {
        try await send([report(1, 0, 900_000)], at: 0)
        try await store.hold("docker/s1", on: "n1", for: "s1", at: fixture.at(10))
        try await send([report(2, 20, 900_500)], at: 20)
        #expect(try await counted("s1") == 500)
    }

    @Test func `no further than is possible in the time, and goes on from the last true figure`() async throws {
        try await store.insertNode(
            NodeRecord(id: "n1", name: "n1.example", labels: [:], cpuMillis: 2000, enrolledAt: fixture.start))
        try await store.hold("docker/s1", on: "n1", for: "s1", at: fixture.at(0))
        try await send([report(1, 1000, 10_000)], at: 1000)
        try await send([report(2, 1060, .max), report(3, 1070, 1_000_000_000_000_000)], at: 1070)
        #expect(try await counted("s1") == 10_000)
        #expect(try await findings()["usage.impossible"]?.severity == .error)
        #expect(try await findings()["usage.impossible"]?.service == "s1")
        try await send([report(4, 1080, 10_200)], at: 1080)
        #expect(try await counted("s1") == 10_200)
    }

    @Test func `no further than is possible in a window, in however many epochs it is told`() async throws {
        try await store.hold("docker/s1", on: "n1", for: "s1", at: fixture.at(0))
        let ceiling = MeterCeiling(meter: "cpu_ms").amount(in: 3_600_000)
        let each = MeterCeiling(meter: "cpu_ms").amount(in: 0)
        let reports = (1...200).map { report(Int64($0), 0, each, epoch: "e\($0)") }
        try await send(reports)
        #expect(try await counted("s1") <= ceiling)
        #expect(try await findings()["usage.impossible"] != nil)
        #expect(try await store.usageCounters(subject: "docker/s1").count <= 64)
    }

    @Test func `never downwards, and a counter that falls is told`() async throws {
        try await store.hold("docker/s1", on: "n1", for: "s1", at: fixture.at(0))
        try await send([report(1, 100, 5000), report(2, 50, 3000)], at: 100)
        #expect(try await findings().isEmpty)
        try await send([report(3, 200, 4000)], at: 200)
        #expect(try await counted("s1") == 5000)
        #expect(try await findings()["usage.backwards"] != nil)
        try await send([report(4, 300, 5100)], at: 300)
        #expect(try await counted("s1") == 5100)
    }

    @Test func `once, though epochs are forgotten in the end`() async throws {
        try await store.hold("docker/s1", on: "n1", for: "s1", at: fixture.at(0))
        let reports = (1...100).map { report(Int64($0), Int64($0) * 60, 10, epoch: "e\($0)") }
        try await send(reports, at: 6000)
        #expect(try await counted("s1") == 1000)
        // The same under new numbers, as after the loss of a journal.
        let again = (1...100).map { report(Int64($0) + 200, Int64($0) * 60, 10, epoch: "e\($0)") }
        try await send(again, at: 6000)
        #expect(try await counted("s1") == 1000)
        #expect(try await findings()["usage.late"] != nil)
        #expect(try await store.usageCounters(subject: "docker/s1").count == 64)
    }

    @Test func `and what was counted by an epoch that is over goes when its time is up`() async throws {
        try await fixture.node("n1")
        try await store.hold("docker/s1", on: "n1", for: "s1", at: fixture.at(0))
        try await send([report(1, 10, 10, epoch: "e1"), report(2, 20, 10, epoch: "e2")], at: 20)
        try await send([report(3, 10, 10, subject: "docker/db")], at: 20)
        #expect(try await store.pruneUsageCounters(before: fixture.at(5)) == 0)
        #expect(try await store.pruneUsageCounters(before: fixture.at(1000)) == 2)
        // The one that still counts must stay, however long it has rested.
        #expect(try await store.usageCounters(subject: "docker/s1").map(\.epoch) == ["e2"])
        try await send([report(4, 1_000_000, 30, epoch: "e2")], at: 1_000_000)
        #expect(try await counted("s1") == 40)
    }
}

@Suite(.onEveryEngine) struct `No report holds the store up` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    /// The effort of the largest transaction while `body` runs.
    private func effort(_ body: () async throws -> Void) async throws -> Effort {
        await store.forgetPeakEffort()
        try await body()
        return await store.peakEffort
    }

    private func counters(_ count: Int, _ value: Int64) -> [UsageReport.Counter] {
        (0..<count).map { .init(subject: "docker/s\($0)", meter: "network_rx_bytes", epoch: "e", value: value) }
    }

    @Test(arguments: [1500, 20_000])
    func `of usage after a gap of 80 days`(count: Int) async throws {
        let start = fixture.start
        try await store.atomically { store throws(StoreError) in
            for number in 0..<count { try store.hold("docker/s\(number)", on: "n1", for: "s\(number)", at: start) }
        }
        let late: Int64 = 80 * 86_400
        let most = try await effort {
            _ = try await store.take(
                Intake(node: "n1", usage: [UsageReport(seq: 1, time: fixture.at(0), counters: counters(count, 0))]))
            let positions = try await store.take(
                Intake(
                    node: "n1",
                    usage: [
                        UsageReport(seq: 2, time: fixture.at(late), counters: counters(count, 1_000_000_000_000_000))
                    ]))
            #expect(positions.usage == 2)
        }
        #expect(most.rows <= 2 * Intake.rowLimit)
        #expect(most.statements <= 6 * Intake.rowLimit)
        // Nothing is lost for it.
        let windows = try await store.usageWindows(
            service: "s\(count - 1)", from: Timestamp(milliseconds: 0), to: fixture.at(late + 1))
        #expect(windows.map(\.amount).reduce(0, +) == 1_000_000_000_000_000)
        #expect(windows.count <= 6 && windows.allSatisfy { $0.length == .seconds(30 * 86_400) })
    }

    @Test func `of many nodes at once`() async throws {
        let fixture = fixture
        let counters = counters(500, 0)
        let most = try await effort {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for node in 0..<60 {
                    group.addTask {
                        let report = UsageReport(seq: 1, time: fixture.at(0), counters: counters)
                        let positions = try await fixture.store.take(Intake(node: "n\(node)", usage: [report]))
                        #expect(positions.usage == 1)
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(most.rows <= 2 * Intake.rowLimit)
    }

    @Test func `of samples that are all of one time`() async throws {
        let samples = (1...9000).map {
            SampleRow(seq: $0, time: fixture.at(0), set: "aa", values: [Double($0)])
        }
        let most = try await effort {
            let positions = try await store.take(
                Intake(node: "n1", series: [SeriesSet(set: "aa", names: ["a"])], samples: samples))
            #expect(positions.metrics == 9000)
        }
        #expect(most.rows <= 2 * Intake.rowLimit && most.statements <= 6 * Intake.rowLimit)
        // Those for which no place was left are told as lost.
        let lost = try await store.gaps(node: "n1", page: PageRequest(limit: 500)).items
        #expect(lost.count == 500 && lost.allSatisfy { $0.reason == "too many samples have the same time" })
    }

    @Test func `of events and gaps`() async throws {
        let events = (1...15_000).map {
            NodeEventReport(
                seq: $0, time: fixture.at(0), driver: "docker", resource: nil, kind: "die", data: [:])
        }
        let gaps = (0..<10_000).map {
            GapReport(
                stream: .metrics, seqs: Int64($0) * 3 + 2...Int64($0) * 3 + 2, from: fixture.at(0), to: fixture.at(1),
                reason: "full")
        }
        let most = try await effort {
            let positions = try await store.take(Intake(node: "n1", events: events, gaps: gaps))
            #expect(positions.events == 15_000)
        }
        #expect(most.rows <= 2 * Intake.rowLimit && most.statements <= 6 * Intake.rowLimit)
    }

    @Test func `of inventory, which has its bounds`() async throws {
        try await fixture.node()
        let large = JSONObject([("text", .string(String(repeating: "x", count: 100_000))), ("state", "running")])
        let items = (0..<12_000).map { (resource: "docker/\($0)", state: $0 == 0 ? large : ["state": "running"]) }
        let most = try await effort {
            try await store.recordInventory(
                InventoryReport(node: "n1", driver: "docker", generation: 1, isFull: true, items: items),
                at: fixture.at(0))
        }
        #expect(most.rows <= 1001)
        #expect(try await store.inventory(node: "n1").count == Store.InventoryLimits.resources)
        #expect(try await store.inventory(node: "n1", resource: "docker/0")?.state["state"] == "running")
        #expect(try await store.findings().items.map(\.kind) == ["inventory.oversized"])
        // Page by page, in order, each once.
        var (seen, after): ([String], String?) = ([], nil)
        repeat {
            let page = try await store.inventory(
                InventoryFilter(node: "n1"), page: PageRequest(after: after, limit: 500))
            seen += page.items.map(\.resource)
            after = page.next
        } while after != nil
        #expect(seen.count == Store.InventoryLimits.resources && seen == seen.sorted())
    }
}

@Suite(.onEveryEngine) struct `What a node says of the future` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    @Test func `stands at its arrival, with a finding`() async throws {
        let future = Timestamp(milliseconds: 2_398_377_600_000)
        try await store.hold("docker/s1", on: "n1", for: "s1", at: fixture.at(0))
        let names = SeriesSet(set: "aa", names: ["host.cpu.idle"])
        _ = try await store.take(
            Intake(
                node: "n1", receivedAt: fixture.at(100), series: [names],
                samples: [
                    SampleRow(seq: 1, time: fixture.at(350), set: "aa", values: [1]),
                    SampleRow(seq: 2, time: future, set: "aa", values: [2]),
                ],
                usage: [
                    UsageReport(
                        seq: 1, time: future,
                        counters: [.init(subject: "docker/s1", meter: "cpu_ms", epoch: "e", value: 7)])
                ],
                events: [
                    NodeEventReport(seq: 1, time: future, driver: "docker", resource: nil, kind: "die", data: [:])
                ],
                gaps: [GapReport(stream: .metrics, seqs: 3...4, from: future, to: future, reason: "full")]))
        let latest = try await store.latestSamples(node: "n1")
        // Within the tolerance a clock may be ahead.
        #expect(latest?.time == fixture.at(350) && latest?.values["host.cpu.idle"] == 1)
        #expect(try await store.events(node: "n1").items.map(\.time) == [fixture.at(100)])
        #expect(try await store.gaps(node: "n1").items.map(\.toTime) == [fixture.at(100)])
        #expect(try await store.usageCounters(subject: "docker/s1").map(\.time) == [fixture.at(100)])
        let found = try await store.findings(FindingFilter(kind: "clock.ahead")).items
        #expect(found.map(\.subject) == ["node/n1"])
        #expect(found.first?.data["ahead_ms"] == .integer((future - fixture.at(100)).wholeMilliseconds))
        // The next true sample is the newest.
        _ = try await store.take(
            Intake(
                node: "n1", receivedAt: fixture.at(400),
                samples: [SampleRow(seq: 5, time: fixture.at(400), set: "aa", values: [3])]))
        #expect(try await store.latestSamples(node: "n1")?.values["host.cpu.idle"] == 3)
    }

    @Test func `that an older version has stored is not the newest for ever`() async throws {
        let future = Timestamp(milliseconds: 2_398_377_600_000)
        _ = try await store.take(
            Intake(
                node: "n1", series: [SeriesSet(set: "aa", names: ["a"])],
                samples: [
                    SampleRow(seq: 1, time: fixture.at(0), set: "aa", values: [1]),
                    SampleRow(seq: 2, time: future, set: "aa", values: [2]),
                ]))
        #expect(try await store.latestSamples(node: "n1", until: fixture.at(500))?.values == ["a": 1])
    }
}

@Suite(.onEveryEngine) struct `What a node may say` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    @Test func `is capped where it is stored`() async throws {
        let long = String(repeating: "y", count: 800_000)
        try await fixture.node()
        try await fixture.service(node: "n1")
        try await fixture.operation()
        try await store.updateService("s1", at: fixture.at(1)) {
            $0.observed = ["container": ["text": .string(long)], "drift": ["kind": "stopped"]]
        }
        let observed = try #require(try await store.service("s1")?.observed)
        #expect(observed.text.utf8.count <= 32 << 10)
        #expect(observed["drift"]?["kind"] == "stopped" && observed["truncated"] == "container")
        _ = try await store.take(
            Intake(
                node: "n1",
                events: [
                    NodeEventReport(
                        seq: 1, time: fixture.at(0), driver: long, resource: long, kind: long,
                        data: ["text": .string(long)])
                ],
                gaps: [GapReport(stream: .metrics, seqs: 1...1, from: fixture.at(0), to: fixture.at(1), reason: long)]))
        let event = try #require(try await store.events().items.first)
        #expect(
            [event.driver, event.resource ?? "", event.kind, event.data.text].allSatisfy { $0.utf8.count <= 8 << 10 })
        #expect(try await store.gaps().items.first?.reason.utf8.count == 512)
        #expect(
            OperationFailure(code: long, message: long, retryable: true, resource: long).json.text.utf8.count < 6000)
        try await store.appendLog("op1", [OperationLogLine(time: fixture.at(0), level: "info", text: long)])
        #expect(try await store.log("op1").first?.text.utf8.count == 4096)
        try await store.recordHello(
            NodeHello(
                node: "n1", agentVersion: long, facts: ["hostname": "a", "drivers": [.string(long)]], boot: long,
                cpuMillis: 1, memoryBytes: 1, diskBytes: 1), at: fixture.at(0))
        let node = try #require(try await store.node("n1"))
        #expect(node.facts["hostname"] == "a" && node.facts.text.utf8.count <= 256 << 10)
        #expect((node.agentVersion?.utf8.count ?? 0) + (node.boot?.utf8.count ?? 0) <= 192)
        #expect(try await store.findings().items.map(\.kind) == ["facts.oversized"])
    }
}
