/// Chooses the node of a service. Pure: the same candidates and demand always give the same choice, in whatever
/// order the candidates come.
package struct Scheduler: Sendable {
    package var rules: PlacementRules

    package init(rules: PlacementRules = .standard) { self.rules = rules }

    package func place(_ demand: Demand, on candidates: [Candidate]) -> PlacementResult {
        let ordered = candidates.sorted { $0.id < $1.id }
        let findings = ordered.map { (candidate: $0, finding: examine($0, for: demand)) }
        var best: (candidate: Candidate, fit: Fit)?
        for case (let candidate, .fits(let fit)) in findings {
            guard let leader = best else {
                best = (candidate, fit)
                continue
            }
            if (fit.score, -candidate.services) > (leader.fit.score, -leader.candidate.services) {
                best = (candidate, fit)
            }
        }
        let words = findings.map { candidate, finding in
            PlacementResult.Word(
                node: candidate.id, name: candidate.name, verdict: finding.verdict(of: candidate, best: best))
        }
        return PlacementResult(
            choice: best.map { .init(node: $0.candidate.id, pool: $0.fit.pool) }, words: words)
    }

    /// Whether a service that is already on `candidate` may grow by `demand`. Being cordoned does not forbid that.
    package func objections(to demand: Demand, on candidate: Candidate) -> [Exclusion] {
        var uncordoned = candidate
        uncordoned.schedulable = true
        guard case .excluded(let reasons) = examine(uncordoned, for: demand) else { return [] }
        return reasons
    }
}

private struct Fit {
    var score: Int
    var pool: String
}

private enum Finding {
    case fits(Fit)
    case excluded([Exclusion])

    func verdict(of candidate: Candidate, best: (candidate: Candidate, fit: Fit)?) -> PlacementVerdict {
        switch self {
        case .excluded(let reasons): .excluded(reasons)
        case .fits(let fit) where best?.candidate.id == candidate.id: .chosen(score: fit.score, pool: fit.pool)
        case .fits(let fit): .outscored(score: fit.score, best: best?.fit.score ?? 0)
        }
    }
}

extension Scheduler {
    private func examine(_ node: Candidate, for demand: Demand) -> Finding {
        var reasons = standing(of: node) + requirements(demand, of: node) + room(demand.resources, on: node)
        let (pool, storage) = choosePool(demand, on: node)
        reasons += storage
        guard reasons.isEmpty, let pool else { return .excluded(reasons) }
        return .fits(Fit(score: score(demand, on: node, pool: pool), pool: pool.name))
    }

    private func standing(of node: Candidate) -> [Exclusion] {
        if node.revoked { return [.revoked] }
        if !node.approved { return [.notApproved] }
        return (node.connected ? [] : [.notConnected]) + (node.schedulable ? [] : [.cordoned])
    }

    private func requirements(_ demand: Demand, of node: Candidate) -> [Exclusion] {
        let drivers = demand.drivers.filter { !node.drivers.contains($0) }.map(Exclusion.driverMissing)
        let labels = demand.labels.sorted { $0.key < $1.key }.filter { node.labels[$0.key] != $0.value }
        return drivers
            + labels.map { .labelMissing(key: $0.key, value: $0.value, found: node.labels[$0.key]) }
    }

    private func room(_ wanted: Resources, on node: Candidate) -> [Exclusion] {
        var reasons: [Exclusion] = []
        let cpu = left(of: node.cpuMillis, times: rules.cpuOvercommit, after: node.reserved.cpuMillis)
        if wanted.cpuMillis > cpu { reasons.append(.cpu(wantedMillis: wanted.cpuMillis, freeMillis: cpu)) }
        let memory = left(
            of: node.memoryBytes, times: rules.memoryOvercommit, after: node.reserved.memoryBytes,
            and: node.foreignMemoryBytes)
        if wanted.memoryBytes > memory { reasons.append(.memory(wanted: wanted.memoryBytes, free: memory)) }
        return reasons
    }

    /// The pool with the most room among those that fit, the lower name in a tie.
    private func choosePool(_ demand: Demand, on node: Candidate) -> (pool: PoolRoom?, reasons: [Exclusion]) {
        let pools = node.pools.filter { demand.pool == nil || $0.name == demand.pool }.sorted { $0.name < $1.name }
        guard !pools.isEmpty else { return (nil, [.poolMissing(demand.pool)]) }
        let wanted = demand.resources.diskBytes
        let fitting = pools.filter { storageObjection($0, wanted: wanted) == nil }
        guard !fitting.isEmpty else { return (nil, pools.compactMap { storageObjection($0, wanted: wanted) }) }
        let widest = fitting.reduce(fitting[0]) { free($1) > free($0) ? $1 : $0 }
        return (widest, [])
    }

    private func storageObjection(_ pool: PoolRoom, wanted: Int64) -> Exclusion? {
        if let fault = pool.fault { return .poolFaulted(pool.name, state: fault) }
        let promised = free(pool)
        if wanted > promised { return .disk(pool: pool.name, wanted: wanted, free: promised) }
        let floor = Double(pool.sizeBytes) * rules.storageFloor
        let share = Double(wanted) / max(rules.diskOvercommit, 0.01)
        if Double(pool.freeBytes) - share < floor {
            return .storageFloor(
                pool: pool.name, wanted: wanted, free: pool.freeBytes, floor: Int64(saturating: floor))
        }
        return nil
    }

    private func free(_ pool: PoolRoom) -> Int64 {
        left(
            of: pool.sizeBytes, times: rules.diskOvercommit, after: pool.reservedBytes, and: pool.othersBytes)
    }

    /// In floating point, so that no figure a node sends can overflow.
    private func left(of capacity: Int64, times ratio: Double, after reserved: Int64, and others: Int64 = 0) -> Int64 {
        // What others have is there once: it cannot be promised twice.
        Int64(saturating: max(0, Double(capacity - min(capacity, max(0, others))) * ratio - Double(reserved)))
    }

    /// 0 to 1000. How full the node would be, measured load included; spread turns it round.
    private func score(_ demand: Demand, on node: Candidate, pool: PoolRoom) -> Int {
        let wanted = demand.resources
        let fractions = [
            fraction(node.reserved.cpuMillis, wanted.cpuMillis, node.cpuMillis, rules.cpuOvercommit),
            fraction(node.reserved.memoryBytes, wanted.memoryBytes, node.memoryBytes, rules.memoryOvercommit),
            fraction(pool.reservedBytes, wanted.diskBytes, pool.sizeBytes, rules.diskOvercommit),
        ]
        let promised = fractions.reduce(0, +) / Double(fractions.count)
        let load = min(max(node.load ?? 0, 0), 1)
        switch demand.strategy {
        case .spread: return Int(((1 - promised) * 0.75 + (1 - load) * 0.25) * 1000)
        // A node that is already busy is a bad one to fill up, so load counts against it here too.
        case .pack: return Int((promised * 0.75 + (1 - load) * 0.25) * 1000)
        }
    }

    private func fraction(_ reserved: Int64, _ wanted: Int64, _ capacity: Int64, _ ratio: Double) -> Double {
        let whole = Double(capacity) * ratio
        guard whole > 0 else { return 1 }
        return min(1, max(0, (Double(reserved) + Double(wanted)) / whole))
    }
}

extension Int64 {
    fileprivate init(saturating value: Double) {
        self = value.isFinite ? (value >= 9.2e18 ? .max : value <= -9.2e18 ? .min : Int64(value)) : 0
    }
}
