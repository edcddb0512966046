package import Store

/// What can be done to a service, and which states it leads through. The verbs that most products have are named here; a
/// product may have others of its own.
package struct Verb: Sendable, Hashable {
    package typealias State = ServiceRecord.State

    /// What a verb is in the life of a service.
    package enum Role: Sendable, Hashable {
        /// It makes the service. It may be tried again; what is left of the last try is adopted.
        case begins
        case changes
        /// It removes the service: it calls off whatever else is under way, and cannot be called off itself.
        case ends
    }

    /// The kind of its operations: `suspend`.
    package var name: String
    package var role: Role
    /// The states in which it may begin.
    package var from: Set<State>
    /// While it is under way; nil for that of before, as in all that follow.
    package var during: State?
    package var succeeded: State?
    /// When everything was undone.
    package var undone: State?
    /// When something may be left over.
    package var stuck: State?
    /// Verbs of one family put each other right: after a repair nothing is left of a suspension that failed.
    package var family: String?

    package init(
        _ name: String, role: Role = .changes, from: Set<State>, during: State? = nil, succeeded: State? = nil,
        undone: State? = nil, stuck: State? = nil, family: String? = nil
    ) {
        (self.name, self.role, self.from, self.during) = (name, role, from, during)
        (self.succeeded, self.undone, self.stuck, self.family) = (succeeded, undone, stuck, family)
    }
}

extension Verb {
    package static let provision = Verb(
        "provision", role: .begins, from: [.pending, .failed], during: .provisioning, succeeded: .running,
        undone: .failed, stuck: .failed)
    package static let suspend = Verb(
        "suspend", from: [.running], during: .suspending, succeeded: .suspended, stuck: .failed, family: "power")
    package static let resume = Verb(
        "resume", from: [.suspended], during: .resuming, succeeded: .running, stuck: .failed, family: "power")
    package static let upgrade = Verb("upgrade", from: [.running, .suspended], during: .upgrading, stuck: .failed)
    package static let repair = Verb("repair", from: [.running, .failed], succeeded: .running, family: "power")
    package static let restart = Verb("restart", from: [.running], family: "power")
    package static let backUp = Verb("back-up", from: [.running, .suspended])
    package static let restore = Verb("restore", from: [.running, .suspended, .failed], stuck: .failed)
    /// Without parameters the product chooses the node: so drains ask for it.
    package static let move = Verb("move", from: [.running, .suspended], stuck: .failed)
    /// Also from the middle of anything: an operation that needs attention may have left the service there.
    package static let terminate = Verb(
        "terminate", role: .ends, from: Set(State.allCases).subtracting([.terminated]), during: .terminating,
        succeeded: .terminated, stuck: .terminating)
}

extension Verb {
    package func during(_ from: State) -> State { during ?? from }
    package func succeeded(_ from: State) -> State { succeeded ?? from }
    package func undone(_ from: State) -> State { undone ?? from }
    package func stuck(_ from: State) -> State { stuck ?? from }

    /// Whether it can be called back once it runs.
    package var isCancellable: Bool { role != .ends }

    /// Nothing can be left of an operation of `other` once a later one of this has succeeded.
    func settles(_ other: Verb) -> Bool {
        role == .ends || name == other.name || (family != nil && family == other.family)
    }
}
