import WireProtocol

/// What a driver finds of the thing that a call is about.
package enum FoundMark: Sendable, Hashable {
    /// There is no such thing yet, or no more.
    case nothing
    case mark(Mark)
    /// It bears a mark that was made for another thing, which a clone, a restoration or somebody's hand took along.
    case copy(of: String)
    /// It bears none. What this driver makes has always borne one, so it is a stranger's.
    case stranger
    /// It bears none, and may be of the time before this driver had marks.
    case unmarked
}

/// A driver whose things bear marks.
package protocol MarkStore {
    /// The mark of the thing that a call is about. Asked only for calls that bring a mark.
    func mark(of call: ActionCall) async throws(DriverError) -> FoundMark
}

extension MarkStore {
    /// Compares a call's mark with the thing's before anything is changed, stopped or removed.
    /// - Returns: what the result has to say beside what the action says.
    /// - Throws: `foreign`, when the thing is another's.
    func compare(_ call: ActionCall) async throws(DriverError) -> JSONObject? {
        guard let mark = call.mark else { return nil }
        let thing = call.resource
        switch try await self.mark(of: call) {
        case .nothing: return nil
        case .mark(let found) where mark.isBorne(by: found): return nil
        case .mark(let found):
            throw DriverError(.foreign, "\(thing) bears the mark of \(found), not of \(mark)")
        case .copy(let original):
            throw DriverError(
                .foreign, "\(thing) bears a mark that was made for \(original): it is a copy, and nobody's")
        // What takes things into care looks by itself.
        case .stranger where call.isAdoption, .unmarked where call.isAdoption: return nil
        case .stranger: throw DriverError(.foreign, "\(thing) bears no mark: it is not \(mark.service)'s")
        case .unmarked: return ["unmarked": true]
        }
    }
}

extension ActionCall {
    /// Whether the call gives a thing of before marks its mark.
    var isAdoption: Bool { action.hasSuffix(".mark") }
}

extension ActionOutcome {
    /// The same, with something else that was found.
    func noting(_ found: JSONObject) -> ActionOutcome {
        var observed = observed
        for member in found.members { observed[member.key] = member.value }
        return ActionOutcome(changed: changed, observed: observed)
    }
}
