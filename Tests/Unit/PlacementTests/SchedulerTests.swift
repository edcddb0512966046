import Testing

@testable import Placement

private let gib: Int64 = 1 << 30

private func node(
    _ id: String, connected: Bool = true, schedulable: Bool = true, revoked: Bool = false,
    drivers: Set<String> = ["docker", "zfs"], labels: [String: String] = [:], cpu: Int64 = 4000,
    memory: Int64 = 8 * gib, pool: Int64 = 100 * gib, free: Int64? = nil, reserved: Resources = .none,
    services: Int = 0, load: Double? = nil
) -> Candidate {
    Candidate(
        id: id, name: "name-\(id)", connected: connected, schedulable: schedulable, revoked: revoked, drivers: drivers,
        labels: labels, cpuMillis: cpu, memoryBytes: memory,
        pools: [PoolRoom(name: "tank", sizeBytes: pool, freeBytes: free ?? pool, reservedBytes: reserved.diskBytes)],
        reserved: reserved, services: services, load: load)
}

private func demand(
    cpu: Int64 = 500, memory: Int64 = gib, disk: Int64 = 10 * gib, labels: [String: String] = [:],
    pool: String? = nil, strategy: PlacementStrategy = .spread
) -> Demand {
    Demand(
        resources: Resources(cpuMillis: cpu, memoryBytes: memory, diskBytes: disk), drivers: ["docker", "zfs"],
        labels: labels, pool: pool, strategy: strategy)
}

private func exclusions(_ result: PlacementResult, _ id: String) -> [Exclusion] {
    guard case .excluded(let reasons)? = result.words.first(where: { $0.node == id })?.verdict else { return [] }
    return reasons
}

@Suite struct SchedulerTests {
    let scheduler = Scheduler()

    @Test func `each unfit node is left out with its reason`() {
        let cases: [(Candidate, Exclusion)] = [
            (node("a", connected: false), .notConnected),
            (node("b", schedulable: false), .cordoned),
            (node("c", revoked: true), .revoked),
            (node("d", drivers: ["docker"]), .driverMissing("zfs")),
            (node("e", labels: ["zone": "x"]), .labelMissing(key: "zone", value: "y", found: "x")),
            (
                node("f", labels: ["zone": "y"], cpu: 100),
                .cpu(wantedMillis: 500, freeMillis: 400)
            ),
            (node("g", labels: ["zone": "y"], memory: gib - 1), .memory(wanted: gib, free: gib - 1)),
            (
                node("h", labels: ["zone": "y"], pool: 9 * gib),
                .disk(pool: "tank", wanted: 10 * gib, free: 9 * gib)
            ),
            (
                node("i", labels: ["zone": "y"], free: 15 * gib),
                .storageFloor(pool: "tank", wanted: 10 * gib, free: 15 * gib, floor: 10 * gib)
            ),
        ]
        let result = scheduler.place(demand(labels: ["zone": "y"]), on: cases.map(\.0))
        #expect(result.choice == nil)
        for (candidate, reason) in cases {
            #expect(exclusions(result, candidate.id).contains(reason), "\(candidate.id)")
        }
        #expect(result.explanation.count == cases.count)
    }

    @Test func `a node that lacks everything says so in one line`() {
        let result = scheduler.place(
            demand(memory: 9 * gib), on: [node("a", connected: false, schedulable: false)])
        #expect(
            result.explanation == [
                "name-a: it is not connected; it is cordoned; "
                    + "9.0 GiB of memory wanted, 8.0 GiB free after reservations"
            ])
    }

    @Test func `of a node without the driver nobody wants to hear what else it lacks`() {
        let result = scheduler.place(
            demand(memory: 9 * gib, labels: ["zone": "y"]), on: [node("a", schedulable: false, drivers: ["docker"])])
        #expect(result.explanation == ["name-a: it is cordoned; it has no driver zfs"])
    }

    @Test func `spread takes the emptiest node and pack the fullest`() {
        let half = Resources(cpuMillis: 8000, memoryBytes: 4 * gib, diskBytes: 50 * gib)
        let nodes = [node("full", reserved: half), node("empty")]
        #expect(scheduler.place(demand(), on: nodes).choice?.node == "empty")
        #expect(scheduler.place(demand(strategy: .pack), on: nodes).choice?.node == "full")
    }

    @Test(arguments: PlacementStrategy.allCases)
    func `of two equal nodes the one with less measured load is chosen`(strategy: PlacementStrategy) {
        let nodes = [node("a", load: 0.9), node("b", load: 0.1)]
        #expect(scheduler.place(demand(strategy: strategy), on: nodes).choice?.node == "b")
    }

    @Test func `a tie goes to fewer services and then to the lower id`() {
        #expect(scheduler.place(demand(), on: [node("a", services: 2), node("b", services: 1)]).choice?.node == "b")
        #expect(scheduler.place(demand(), on: [node("b"), node("a")]).choice?.node == "a")
    }

    @Test func `the order of the candidates does not matter`() {
        let nodes = (0..<12).map { index in
            node("n\(index)", schedulable: index % 5 != 0, services: index % 3, load: Double(index % 4) / 10)
        }
        let expected = scheduler.place(demand(), on: nodes)
        for turn in 1..<nodes.count {
            #expect(scheduler.place(demand(), on: Array(nodes[turn...] + nodes[..<turn])) == expected)
        }
        #expect(expected.choice != nil)
    }

    @Test func `exactly what is left still fits and one more byte does not`() {
        let reserved = Resources(cpuMillis: 0, memoryBytes: 7 * gib, diskBytes: 0)
        #expect(scheduler.place(demand(memory: gib), on: [node("a", reserved: reserved)]).choice != nil)
        #expect(scheduler.place(demand(memory: gib + 1), on: [node("a", reserved: reserved)]).choice == nil)
    }

    @Test func `over-commit multiplies what a node has to give`() {
        var rules = PlacementRules.standard
        rules.memoryOvercommit = 2
        #expect(Scheduler(rules: rules).place(demand(memory: 16 * gib), on: [node("a")]).choice != nil)
        #expect(scheduler.place(demand(memory: 16 * gib), on: [node("a")]).choice == nil)
    }

    @Test func `the pool with the most room is used unless one is named`() {
        var candidate = node("a")
        candidate.pools.append(PoolRoom(name: "vast", sizeBytes: 900 * gib, freeBytes: 900 * gib, reservedBytes: 0))
        #expect(scheduler.place(demand(), on: [candidate]).choice?.pool == "vast")
        #expect(scheduler.place(demand(pool: "tank"), on: [candidate]).choice?.pool == "tank")
        let missing = scheduler.place(demand(pool: "none"), on: [candidate])
        #expect(exclusions(missing, "a") == [.poolMissing("none")])
    }

    @Test func `the verdicts tell the scores of those that fitted`() {
        let result = scheduler.place(demand(), on: [node("a", load: 1), node("b", load: 0)])
        guard case .chosen(let best, "tank")? = result.words.last?.verdict else {
            Issue.record("b is not chosen")
            return
        }
        #expect(result.words.first?.verdict == .outscored(score: best - 250, best: best))
    }

    @Test func `figures at the bounds of their type do no harm`() {
        let mad = node(
            "a", cpu: .max, memory: .max, pool: .max,
            reserved: Resources(cpuMillis: .max, memoryBytes: .max, diskBytes: .max))
        let worse = node("b", cpu: .min, memory: .min, pool: .min, load: .nan)
        let most = demand(cpu: .max, memory: .max, disk: .max)
        #expect(scheduler.place(most, on: [mad, worse]).words.count == 2)
        #expect(scheduler.place(demand(), on: [worse]).choice == nil)
    }

    @Test func `a service may grow on a cordoned node while there is room`() {
        let cordoned = node("a", schedulable: false)
        #expect(scheduler.objections(to: demand(memory: 8 * gib), on: cordoned).isEmpty)
        #expect(
            scheduler.objections(to: demand(memory: 9 * gib), on: cordoned)
                == [.memory(wanted: 9 * gib, free: 8 * gib)])
    }

    @Test func `no nodes at all gives no choice and no words`() {
        #expect(scheduler.place(demand(), on: []) == PlacementResult(choice: nil, words: []))
    }
}
