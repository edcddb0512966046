package import Store

/// What can be done to a service, and which states it leads through.
package enum OperationKind: String, Sendable, Hashable, CaseIterable {
    case provision, suspend, resume, upgrade, repair, terminate

    package typealias State = ServiceRecord.State

    /// The states in which it may begin.
    package var from: Set<State> {
        switch self {
        // A provisioning that failed may be tried again; what is left of the last try is adopted.
        case .provision: [.pending, .failed]
        case .suspend: [.running]
        case .resume: [.suspended]
        case .upgrade: [.running, .suspended]
        case .repair: [.running, .failed]
        // Also from the middle of anything: an operation that needs attention may have left the service there.
        case .terminate: Set(State.allCases).subtracting([.terminated])
        }
    }

    package func during(_ from: State) -> State {
        switch self {
        case .provision: .provisioning
        case .suspend: .suspending
        case .resume: .resuming
        case .upgrade: .upgrading
        case .repair: from
        case .terminate: .terminating
        }
    }

    package func succeeded(_ from: State) -> State {
        switch self {
        case .provision, .resume, .repair: .running
        case .suspend: .suspended
        case .upgrade: from
        case .terminate: .terminated
        }
    }

    /// Everything was undone.
    package func undone(_ from: State) -> State {
        self == .provision ? .failed : from
    }

    /// Something may be left over.
    package func stuck(_ from: State) -> State {
        switch self {
        case .terminate: .terminating
        case .repair: from
        default: .failed
        }
    }

    /// Whether it can be called back once it runs.
    package var isCancellable: Bool { self != .terminate }
}
