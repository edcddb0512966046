package import Model
import Transport

/// What all endpoints of a process have in common, on whichever listener they are: the places and the pace of callers, the
/// answers that are kept, and the counters.
package final class Pipeline: Sendable {
    package let counters = RequestCounters()
    let settings: HTTPSettings
    let idempotency: Idempotency
    let places: CallerPlaces
    /// Requests with a key that holds, by caller.
    let known: Pace
    /// Requests that need no key, by address.
    let open: Pace
    /// Attempts with keys that do not hold, by address.
    let guesses: Pace
    let gate: ConnectionGate
    let strangers: UnauthenticatedStreams
    let onDenied: @Sendable (DeniedCall) async -> Void
    let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - answers: where the answers to idempotency keys are kept.
    ///   - onDenied: told of each call that was refused for who made it.
    package init(
        _ settings: HTTPSettings, answers: KeptAnswers, onDenied: @escaping @Sendable (DeniedCall) async -> Void,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.settings = settings
        self.onDenied = onDenied
        self.now = now
        idempotency = Idempotency(answers)
        // Half of the places are left to those who have shown a key, whatever strangers do.
        let half = settings.maximumConnections / 2
        places = CallerPlaces(settings.callers, connections: half)
        gate = ConnectionGate(total: half, perAddress: min(64, half))
        strangers = UnauthenticatedStreams(total: settings.maximumConnections)
        known = Pace(settings.keyRate)
        open = Pace(settings.openRate)
        guesses = Pace(settings.guessRate)
    }
}

/// A call that was refused for who made it.
package struct DeniedCall: Sendable, Hashable {
    package let time: Timestamp
    package let actor: String
    package let method: String
    /// Of the endpoint, with the names of its parameters in braces.
    package let path: String
    package let status: Int
    package let reason: String
    package let remote: String?
}
