/// Which connection meets which fault. The same plan makes the same faults at the same bytes of the same connections; what
/// passes there is the peers' affair.
package struct FaultPlan: Sendable, Hashable, CustomStringConvertible {
    /// The environment variable that plans are read from.
    package static let variable = "INNKEEPER_FAULTS"

    private enum Source: Sendable, Hashable {
        case nothing
        case listed([[Fault]])
        case drawn(FaultProfile, seed: UInt64, connections: Int)
    }

    private let source: Source

    /// No faults.
    package static let none = FaultPlan(source: .nothing)

    /// Faults of a profile for the first connections; those after them are left in peace.
    package static func drawn(_ profile: FaultProfile, seed: UInt64, connections: Int = 4) -> FaultPlan {
        FaultPlan(source: .drawn(profile, seed: seed, connections: connections))
    }

    /// These faults for the first connection, the second, and so on.
    package static func listed(_ connections: [Fault]...) -> FaultPlan { FaultPlan(source: .listed(connections)) }

    private init(source: Source) { self.source = source }

    /// Reads `PROFILE:SEED` or `PROFILE:SEED:CONNECTIONS`.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let profile = FaultProfile(rawValue: String(parts[0])),
            let seed = UInt64(parts[1]), let connections = parts.count == 3 ? Int(parts[2]) : 4, connections >= 0
        else { return nil }
        source = .drawn(profile, seed: seed, connections: connections)
    }

    /// The faults of a connection, in the order in which they strike in each direction.
    /// - Parameter connection: counted from 0.
    package func faults(of connection: Int) -> [Fault] {
        switch source {
        case .nothing: return []
        case .listed(let connections): return connection < connections.count ? connections[connection] : []
        case .drawn(let profile, let seed, let connections):
            guard connection < connections else { return [] }
            var chance = Chance(seed: seed, place: UInt64(connection))
            return [profile.fault(&chance)]
        }
    }

    /// What `init(_:)` reads; listed plans are told fault by fault.
    package var description: String {
        switch source {
        case .nothing: "none"
        case .listed(let connections): connections.map { "\($0)" }.joined(separator: ", then ")
        case .drawn(let profile, let seed, let connections): "\(profile.rawValue):\(seed):\(connections)"
        }
    }
}
