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

    /// Whether a service that is already on `candidate` may grow by `demand`. That the node takes no new one does not forbid
    /// that.
    package func objections(to demand: Demand, on candidate: Candidate) -> [Exclusion] {
        var uncordoned = candidate
        uncordoned.schedulable = true
        uncordoned.draining = false
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
        // Without the driver nothing else that it lacks matters: it is not the place for such a thing.
        let drivers = demand.drivers.filter { !node.drivers.contains($0) }.map(Exclusion.driverMissing)
        guard drivers.isEmpty else { return .excluded(standing(of: node) + drivers) }
        let rules = rules.rules(of: node)
        var reasons = standing(of: node) + requirements(demand, of: node) + rules.room(demand.resources, on: node)
        let (pool, storage) = choosePool(demand, on: node, rules)
        reasons += storage
        guard reasons.isEmpty else { return .excluded(reasons) }
        return .fits(Fit(score: rules.score(demand, on: node, pool: pool), pool: pool?.key ?? ""))
    }

    private func standing(of node: Candidate) -> [Exclusion] {
        if node.revoked { return [.revoked] }
        if !node.approved { return [.notApproved] }
        let closed: [Exclusion] = node.draining ? [.draining] : node.schedulable ? [] : [.cordoned]
        return (node.connected ? [] : [.notConnected]) + closed
    }

    private func requirements(_ demand: Demand, of node: Candidate) -> [Exclusion] {
        let labels = demand.labels.sorted { $0.key < $1.key }.filter { node.labels[$0.key] != $0.value }
        let networks = demand.networks.filter { !$0.isThere(on: node) }
        let template = demand.template.flatMap { name in
            node.templates.map { $0.contains(name) } == false ? Exclusion.templateMissing(name) : nil
        }
        return labels.map { .labelMissing(key: $0.key, value: $0.value, found: node.labels[$0.key]) }
            + networks.map { .networkMissing($0.name) }
            + demand.things.filter { node.lacking.contains($0.resource) }.map { .thingMissing($0.name) }
            + (template.map { [$0] } ?? [])
    }

    /// The storage with the most room among those that fit, the lower name in a tie; none where none is wanted.
    private func choosePool(
        _ demand: Demand, on node: Candidate, _ rules: PlacementRules
    ) -> (pool: PoolRoom?, reasons: [Exclusion]) {
        guard demand.storage != .none else { return (nil, []) }
        let pools = node.pools.filter { $0.isOf(demand.storage) && (demand.pool == nil || $0.name == demand.pool) }
            .sorted { $0.name < $1.name }
        guard !pools.isEmpty else { return (nil, [demand.storage.isMissing(demand.pool)]) }
        let wanted = demand.resources.diskBytes
        let fitting = pools.filter { rules.objection(to: $0, wanted: wanted) == nil }
        guard !fitting.isEmpty else { return (nil, pools.compactMap { rules.objection(to: $0, wanted: wanted) }) }
        let widest = fitting.reduce(fitting[0]) { rules.free($1) > rules.free($0) ? $1 : $0 }
        return (widest, [])
    }
}

extension StorageDemand {
    fileprivate func isMissing(_ name: String?) -> Exclusion {
        switch self {
        case .none, .zfs: .poolMissing(name)
        case .proxmox(let content): .storageMissing("storage for \(content)", name: name)
        case .folder: .storageMissing("folder for data", name: name)
        }
    }
}

extension PlacementRules {
    fileprivate func room(_ wanted: Resources, on node: Candidate) -> [Exclusion] {
        var reasons: [Exclusion] = []
        let cpu = left(of: node.cpuMillis, times: cpuOvercommit, after: node.reserved.cpuMillis)
        if wanted.cpuMillis > cpu { reasons.append(.cpu(wantedMillis: wanted.cpuMillis, freeMillis: cpu)) }
        let memory = left(
            of: node.memoryBytes, times: memoryOvercommit, after: node.reserved.memoryBytes,
            and: node.foreignMemoryBytes)
        if wanted.memoryBytes > memory { reasons.append(.memory(wanted: wanted.memoryBytes, free: memory)) }
        return reasons
    }

    fileprivate func objection(to pool: PoolRoom, wanted: Int64) -> Exclusion? {
        if wanted > 0, let fault = pool.fault { return .poolFaulted(pool.name, state: fault) }
        let promised = free(pool)
        if wanted > promised { return .disk(pool: pool.name, wanted: wanted, free: promised) }
        let floor = Double(pool.sizeBytes) * storageFloor
        let share = Double(wanted) / max(diskOvercommit, 0.01)
        if Double(pool.freeBytes) - share < floor {
            return .storageFloor(
                pool: pool.name, wanted: wanted, free: pool.freeBytes, floor: Int64(saturating: floor))
        }
        return nil
    }

    fileprivate func free(_ pool: PoolRoom) -> Int64 {
        left(
            of: pool.sizeBytes, times: diskOvercommit, after: pool.reservedBytes, and: pool.othersBytes)
    }

    /// In floating point, so that no figure a node sends can overflow.
    private func left(of capacity: Int64, times ratio: Double, after reserved: Int64, and others: Int64 = 0) -> Int64 {
        // What others have is there once: it cannot be promised twice.
        Int64(saturating: max(0, Double(capacity - min(capacity, max(0, others))) * ratio - Double(reserved)))
    }

    /// 0 to 1000. How full the node would be, measured load included; spread turns it round.
    fileprivate func score(_ demand: Demand, on node: Candidate, pool: PoolRoom?) -> Int {
        let wanted = demand.resources
        var fractions = [
            fraction(node.reserved.cpuMillis, wanted.cpuMillis, node.cpuMillis, cpuOvercommit),
            fraction(node.reserved.memoryBytes, wanted.memoryBytes, node.memoryBytes, memoryOvercommit),
        ]
        if let pool {
            fractions.append(fraction(pool.reservedBytes, wanted.diskBytes, pool.sizeBytes, diskOvercommit))
        }
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
