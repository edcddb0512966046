package import Saga

/// Why somebody outside did not do what a saga asked for.
package struct PortError: Error, Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// Nobody answered: whether anything happened is unknown.
        case silent
        /// Not now, for whatever reason; nothing happened.
        case busy
        /// Never, as it was asked.
        case refused
        /// It is there already and not ours.
        case conflict
        /// The controller knows nobody who could be asked.
        case notSetUp = "not_set_up"
    }

    package var kind: Kind
    /// One sentence for people.
    package var message: String

    package init(_ kind: Kind, _ message: String) { (self.kind, self.message) = (kind, message) }
}

extension StepFailure {
    /// What it means for the step that asked. Steps look before they act, so that silence is answered by asking again.
    package init(_ error: PortError, _ resource: String? = nil) {
        let kind: Kind =
            switch error.kind {
            case .silent: .unanswered
            case .busy: .retryable
            case .refused, .conflict, .notSetUp: .final
            }
        self.init(
            kind, code: error.kind.rawValue, message: error.message, resource: resource,
            effect: error.kind == .silent ? .possible : .none)
    }
}
