package import WireProtocol

/// What a node says that it has. Its word is all there is, so it is held against what is possible and against what
/// was approved.
package struct NodeClaims: Sendable, Hashable {
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    /// Bytes of each storage pool by its name.
    package var pools: [String: Int64]

    package init(cpuMillis: Int64 = 0, memoryBytes: Int64 = 0, pools: [String: Int64] = [:]) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.pools = pools
    }

    package var diskBytes: Int64 { pools.values.reduce(0) { $0.addingClamped($1) } }
}

/// A figure that is not believed.
package struct ClaimDoubt: Sendable, Hashable, CustomStringConvertible {
    /// `processors`, `memory`, `pool tank`.
    package var figure: String
    package var claimed: Int64
    /// More than this is not believed.
    package var most: Int64
    /// What counts instead.
    package var believed: Int64
    /// `most` follows from what was approved, so that another approval ends the doubt.
    package var isGrowth: Bool

    package var description: String {
        isGrowth
            ? "\(figure): \(claimed) is far more than the \(believed) that were approved; approve the node again if that is right"
            : "\(figure): \(claimed) is not plausible, at most \(most) is; counted as \(believed)"
    }
}

extension NodeClaims {
    /// More than the largest machines that are built: 4,096 processors, 64 TiB of memory, 4 PiB of disks.
    package static let most = NodeClaims(
        cpuMillis: 4_096_000, memoryBytes: 64 << 40, pools: [:])
    private static let mostDisk: Int64 = 4 << 50
    /// An approved node may grow by this factor, as with another set of memory modules, without being asked about.
    private static let growth: Int64 = 2

    /// The part of the claims that counts, and what does not.
    /// - Parameter approved: what was approved; nil when nothing was yet.
    package func judged(against approved: NodeClaims?) -> (believed: NodeClaims, doubts: [ClaimDoubt]) {
        var doubts: [ClaimDoubt] = []
        func judge(_ figure: String, _ claimed: Int64, _ most: Int64, _ base: Int64?) -> Int64 {
            let base = base.map { min(max(0, $0), most) }
            if claimed < 0 || claimed > most {
                doubts.append(
                    ClaimDoubt(figure: figure, claimed: claimed, most: most, believed: base ?? 0, isGrowth: false))
                return base ?? 0
            }
            guard let base, claimed > base.multipliedClamped(Self.growth) else { return claimed }
            doubts.append(
                ClaimDoubt(
                    figure: figure, claimed: claimed, most: base.multipliedClamped(Self.growth), believed: base,
                    isGrowth: true))
            return base
        }
        var believed = NodeClaims(
            cpuMillis: judge("thousandths of a processor", cpuMillis, Self.most.cpuMillis, approved?.cpuMillis),
            memoryBytes: judge("bytes of memory", memoryBytes, Self.most.memoryBytes, approved?.memoryBytes))
        var left = Self.mostDisk
        for (name, size) in pools.sorted(by: { $0.key < $1.key }) {
            // Together they are no more than one machine's disks either.
            let counted = judge("bytes of pool \(name)", size, left, approved.map { $0.pools[name] ?? 0 })
            believed.pools[name] = counted
            left -= counted
        }
        return (believed, doubts)
    }
}

extension NodeClaims {
    /// Pools that a node may tell of.
    private static let poolLimit = 256

    /// From what a hello said: `host` tells `processors` and `memory_bytes`, `zfs` its `pools`.
    package init(facts: JSONObject) {
        let drivers = facts["drivers"]?.asArray ?? []
        func told(by name: String) -> JSONValue? { drivers.first { $0["name"]?.asString == name }?["facts"] }
        let host = told(by: "host")
        self.init(
            cpuMillis: (host?["processors"]?.asInteger ?? 0).multipliedClamped(1000),
            memoryBytes: host?["memory_bytes"]?.asInteger ?? 0)
        for pool in (told(by: "zfs")?["pools"]?.asArray ?? []).prefix(Self.poolLimit) {
            guard let name = pool["name"]?.asString, let size = pool["size_bytes"]?.asInteger else { continue }
            pools[name] = size
        }
    }

    package var json: JSONObject {
        [
            "cpu_millis": .integer(cpuMillis), "memory_bytes": .integer(memoryBytes),
            "pools": .object(JSONObject(pools.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) })),
        ]
    }

    /// Reads back what `json` made; nil when it holds none.
    package init?(json: JSONObject) {
        guard let cpu = json["cpu_millis"]?.asInteger, let memory = json["memory_bytes"]?.asInteger,
            let pools = json["pools"]?.asObject
        else { return nil }
        self.init(cpuMillis: cpu, memoryBytes: memory)
        for member in pools.members { self.pools[member.key] = member.value.asInteger }
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    fileprivate func multipliedClamped(_ factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? (signum() == factor.signum() ? .max : .min) : product
    }
}
