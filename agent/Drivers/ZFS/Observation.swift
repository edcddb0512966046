package import DriverKit
import Model
import Synchronization
package import WireProtocol

/// What was last seen of pools and datasets, and what was counted since the start.
struct ZFSObservation: Sendable {
    let epoch: String
    /// Series of the last look, by name; none when it failed.
    private(set) var series: [(name: String, value: Double)] = []
    private var health: [String: String] = [:]
    private var sizes: [String: Int64] = [:]
    private var lastLook: ContinuousClock.Instant?
    /// Bytes x seconds in use, by dataset. One that is gone is counted until it was reported once more.
    private var byteSeconds: [String: Double] = [:]

    /// What `zfs receive` of this node can do, once it was asked.
    var receiveOptions: ReceiveOptions?

    init(epoch: String) { self.epoch = epoch }

    /// Takes in the pools; gives those whose health is another, with the old one. One that is gone has none any more.
    mutating func update(_ pools: [ZFSPool]) -> [PoolChange] {
        var changes = pools.filter { health[$0.name, default: "ONLINE"] != $0.health }.map { pool in
            PoolChange(pool: pool.name, health: pool.health, before: health[pool.name])
        }
        let present = Set(pools.map(\.name))
        changes += health.filter { !present.contains($0.key) }.sorted { $0.key < $1.key }.map { name, before in
            PoolChange(pool: name, health: nil, before: before)
        }
        health = Dictionary(pools.map { ($0.name, $0.health) }) { $1 }
        series = pools.flatMap(Self.series)
        return changes
    }

    /// Takes in the datasets, after the pools: counts the time since the last look.
    mutating func update(_ datasets: [ZFSObject], at time: ContinuousClock.Instant) {
        count(until: time)
        sizes = [:]
        for dataset in datasets where dataset.name.contains("/") {
            sizes[dataset.name] = max(0, dataset.number("used") ?? 0)
        }
        series += datasets.filter { $0.name.contains("/") }.flatMap(Self.series)
    }

    /// Forgets values that would be too old; the counters stay.
    mutating func fail() { (series, hasFailed) = ([], true) }

    /// Of the last look.
    var hasFailed = false

    mutating func usage(at time: ContinuousClock.Instant) -> [UsageCounter] {
        count(until: time)
        defer { byteSeconds = byteSeconds.filter { sizes[$0.key] != nil } }
        return byteSeconds.sorted { $0.key < $1.key }.map { name, value in
            UsageCounter(
                subject: "zfs/\(name)", meter: "disk_mib_seconds", epoch: epoch,
                value: Int64(exactly: (value / 1_048_576).rounded(.down)) ?? .max)
        }
    }

    private mutating func count(until time: ContinuousClock.Instant) {
        if let lastLook {
            let (seconds, fraction) = (time - lastLook).components
            let elapsed = Double(seconds) + Double(fraction) * 1e-18
            for (name, size) in sizes { byteSeconds[name, default: 0] += Double(size) * elapsed }
        }
        lastLook = time
    }

    private static func series(_ pool: ZFSPool) -> [(String, Double)] {
        let sizes = [("size", pool.sizeBytes), ("free", pool.freeBytes)].compactMap { name, bytes in
            bytes.map { ("zpool/\(pool.name).\(name)", Double($0)) }
        }
        return sizes + [("zpool/\(pool.name).online", pool.health == "ONLINE" ? 1 : 0)]
    }

    private static func series(_ dataset: ZFSObject) -> [(String, Double)] {
        [
            ("zfs/\(dataset.name).used", Double(dataset.number("used") ?? 0)),
            ("zfs/\(dataset.name).quota", Double(dataset.number("quota") ?? 0)),
        ]
    }
}

extension ZFSDriver {
    /// Starting the tools costs some milliseconds: sizes are looked at this often, however often samples are taken.
    static let lookInterval = Duration.seconds(60)

    package func facts() async -> JSONObject {
        guard let pools = try? await pools() else { return ["pools": []] }
        return ["pools": .array(pools.map { .object($0.json) })]
    }

    package func inventory() async throws(DriverError) -> [InventoryItem] {
        try await datasets().filter { $0.name.contains("/") }
            .map { InventoryItem(resource: "zfs/\($0.name)", state: $0.json) }
    }

    package func absence() async -> String? {
        observed.withLock(\.hasFailed) ? "zpool and zfs do not answer, or not in time" : nil
    }

    package func sample(into batch: inout SampleBatch) async {
        for (name, value) in observed.withLock({ $0.series }) { batch.append(name, value) }
    }

    package func usage() async -> [UsageCounter] {
        observed.withLock { $0.usage(at: .now) }
    }

    /// Looks at pools and datasets each minute for samples and usage, and reports pools whose health changes.
    package func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        while !Task.isCancelled {
            for event in await lookAround() { emit(event) }
            try? await Task.sleep(for: Self.lookInterval)
        }
    }

    /// One look; the events are the pools whose health is another than at the last. A pool that holds up the look at the
    /// datasets is told of all the same.
    func lookAround() async -> [DriverEvent] {
        guard let pools = try? await pools() else {
            observed.withLock { $0.fail() }
            return []
        }
        let changes = observed.withLock { observed in
            observed.hasFailed = false
            return observed.update(pools)
        }
        if let datasets = try? await datasets() { observed.withLock { $0.update(datasets, at: .now) } }
        return changes.map { change in
            var data: JSONObject = [:]
            data["health"] = change.health.map { .string($0) }
            data["before"] = change.before.map { .string($0) }
            let kind = change.health == nil ? "pool.gone" : "pool.health"
            return DriverEvent(time: .now(), resource: "zpool/\(change.pool)", kind: kind, data: data)
        }
    }
}

/// A pool whose health is another than it was.
struct PoolChange: Sendable, Hashable {
    let pool: String
    /// Nil when the pool is not there any more.
    let health: String?
    let before: String?
}
