/// A saga that the matrix goes through. The last two go back: one by itself, one because it is called off.
enum Saga: String, Sendable, CaseIterable {
    case provision, suspend, resume, upgrade, repair, terminate
    case failure = "failed provision"
    case cancellation = "cancelled provision"

    /// Those of a service that is there.
    static let changes = [Saga.suspend, .resume, .upgrade, .repair]
}

/// One daemon dies at one moment of one durable write of one saga.
struct CrashPoint: Sendable, Hashable, CustomStringConvertible {
    var victim: Victim
    var saga: Saga
    var transition: Transition
    var moment: Strike.Moment

    var description: String { "\(saga.rawValue): the \(victim) dies \(moment) \(transition.name)" }

    var strike: Strike { Strike(scope: transition.scope, marks: transition.marks, nth: transition.nth, moment: moment) }

    /// Whether it dies while a command runs, so that nobody knows how far it came. A command that has no receipt yet is
    /// sent again under its id, and one that has ended is answered from its receipt.
    /// Nil when the death may come anywhere.
    var interrupts: Bool? {
        guard transition.scope == .commits else { return nil }
        guard victim == .agent else { return false }
        if transition.name.hasPrefix("receipt of") { return moment == .after }
        return transition.name.hasPrefix("end of") && moment != .after
    }

    /// What engines are made to do when the daemon dies here, after what they do when nobody dies. An ensure-style step that is
    /// begun again finds what the interrupted command has made, and makes nothing twice. Only one that failed has taken its
    /// work back before it could say so: there is nothing to be found, so the next command makes it and takes it back.
    func effects(of usual: [String]) -> [String] {
        let isOfContainer = transition.name.hasPrefix("end of container.") && !transition.name.contains("undo")
        guard saga == .failure, interrupts == true, isOfContainer else { return usual }
        return (usual + ["docker create 201", "docker remove 204"]).sorted()
    }

    /// All moments of a transition. The agent's journal is synced with every commit, so that a power cut takes nothing
    /// from it that a kill leaves.
    static func all(_ victim: Victim, _ saga: Saga, _ transitions: [Transition]) -> [CrashPoint] {
        let moments = victim == .agent ? [.before, .torn, .after] : Strike.Moment.allCases
        return transitions.flatMap { transition in
            moments.map { CrashPoint(victim: victim, saga: saga, transition: transition, moment: $0) }
        }
    }
}
