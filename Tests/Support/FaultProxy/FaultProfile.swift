/// A kind of bad weather.
package enum FaultProfile: String, Sendable, Hashable, CaseIterable {
    case delay, stall, hole, halfClose = "half-close", truncate, split, reset, flip, storm
    /// Any of the others, by chance, for each connection anew.
    case mixed

    /// The fault of one connection.
    func fault(_ chance: inout Chance) -> Fault {
        let direction: Direction = Bool.random(using: &chance) ? .up : .down
        return Fault(kind(&chance), direction, at: Self.byte(direction, &chance))
    }

    private func kind(_ chance: inout Chance) -> Fault.Kind {
        switch self {
        case .delay:
            let wait = Int.random(in: 5...300, using: &chance)
            return .delay(milliseconds: wait, pieces: Int.random(in: 2...(4000 / wait), using: &chance))
        case .stall: return .stall(milliseconds: Int.random(in: 500...8000, using: &chance))
        case .hole: return .hole(milliseconds: Int.random(in: 500...6000, using: &chance))
        case .halfClose: return .halfClose
        case .truncate: return .truncate(insideRecord: Bool.random(using: &chance))
        case .split: return .split(bytes: Int.random(in: 200...3000, using: &chance))
        case .reset: return .reset
        case .flip: return .flip
        case .storm: return .expire(milliseconds: Int.random(in: 20...1500, using: &chance))
        case .mixed:
            let profiles = Self.allCases.filter { $0 != .mixed }
            return profiles[Int.random(in: 0..<profiles.count, using: &chance)].kind(&chance)
        }
    }

    /// One in four strikes in the handshake, the others in what follows, small numbers as likely as large ones.
    private static func byte(_ direction: Direction, _ chance: inout Chance) -> Int {
        if Int.random(in: 0..<4, using: &chance) == 0 { return Int.random(in: 0..<1500, using: &chance) }
        let doublings = Int.random(in: 0...(direction == .up ? 5 : 4), using: &chance)
        return 1500 + Int.random(in: 0..<(600 << doublings), using: &chance)
    }
}
