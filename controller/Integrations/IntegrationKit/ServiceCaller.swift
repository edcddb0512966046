package import ControllerCore

/// What an answer amounts to.
package enum Judgement<Value: Sendable>: Sendable {
    case value(Value)
    /// It will not be otherwise when it is asked again.
    case failed(PortError)
    /// Nothing happened, and it may go through later; after some time, where the answer says so.
    case busy(PortError, after: Duration? = nil)
    /// Whether anything happened is unknown.
    case unclear(PortError)
    /// Nothing happened: who calls is not known any more, and has to log in again. What it means where that does not help.
    case expired(PortError)
}

/// Calls a service of others within a budget, and again where that can help: what only reads after any trouble, what changes
/// something only when surely nothing happened. After an unclear end whoever changes something looks first.
package struct ServiceCaller: Sendable {
    package struct Limits: Sendable {
        package var attempts = 4
        /// Of all attempts together.
        package var time = Duration.seconds(90)
        /// The longest wait before the next attempt; who asks for more is left alone.
        package var patience = Duration.seconds(60)

        package init() {}
    }

    private let outside: IntegrationKind.Outside
    private let budget: RateBudget
    private let limits: Limits

    package init(_ outside: IntegrationKind.Outside, budget: RateBudget, limits: Limits = Limits()) {
        (self.outside, self.budget, self.limits) = (outside, budget, limits)
    }

    /// - Parameters:
    ///   - changes: whether the call changes something.
    ///   - request: makes it, with the session of the moment.
    ///   - renew: ends the session, so that the next request is made with a new one. Without it `expired` is the end.
    package func call<Value: Sendable>(
        changes: Bool, _ request: @Sendable () async throws(PortError) -> OutboundRequest,
        renew: (@Sendable () async -> Void)? = nil, judge: @Sendable (OutboundReply) -> Judgement<Value>
    ) async throws(PortError) -> Value {
        let start = outside.clock.uptime()
        var (attempt, hasRenewed) = (0, false)
        while true {
            attempt += 1
            try await budget.spend()
            let error: PortError
            var pause: Duration?
            switch try await judged(request, judge) {
            case .value(let value): return value
            case .failed(let error): throw error
            case .expired(let reason):
                if let renew, !hasRenewed {
                    hasRenewed = true
                    await renew()
                    continue
                }
                guard reason.kind == .silent, !changes else { throw reason }
                error = reason
            case .busy(let reason, let after):
                (error, pause) = (reason, after)
                if let after { budget.rest(after) }
            case .unclear(let reason):
                guard !changes else { throw reason }
                error = reason
            }
            let wait = pause ?? backOff(attempt)
            let spent = outside.clock.uptime() - start
            guard attempt < limits.attempts, wait <= limits.patience, spent + wait <= limits.time else { throw error }
            await outside.clock.pause(wait)
            if Task.isCancelled { throw error }
        }
    }

    private func judged<Value>(
        _ request: @Sendable () async throws(PortError) -> OutboundRequest,
        _ judge: @Sendable (OutboundReply) -> Judgement<Value>
    ) async throws(PortError) -> Judgement<Value> {
        let order = try await request()
        do throws(PortError) { return judge(try await outside.http.send(order)) } catch {
            switch error.kind {
            case .silent: return .unclear(error)
            case .busy: return .busy(error)
            case .refused, .conflict, .notSetUp: return .failed(error)
            }
        }
    }

    /// Half a second, doubled with each attempt, up to ten; with chance in it, so that many do not come back at once.
    private func backOff(_ attempt: Int) -> Duration {
        let chance = Double(outside.random.bytes(1).first ?? 0) / 255
        let seconds = min(10, 0.5 * Double(1 << min(attempt - 1, 6)))
        return .milliseconds(Int64(seconds * (0.5 + chance / 2) * 1000))
    }
}

extension OutboundReply {
    /// How long the answer asks to wait, at most an hour; nil where it does not say.
    package var retryAfter: Duration? {
        guard let text = headers["retry-after"], let seconds = Int64(text), seconds >= 0 else { return nil }
        return .seconds(min(seconds, 3600))
    }

    /// What a status alone tells, for an answer that nothing else can be read from.
    /// - Parameter what: was asked for, for people.
    package func judged<Value>(_ what: String) -> Judgement<Value> {
        let message = "\(what) was answered with \(status)"
        return switch status {
        case 408, 425, 429: .busy(PortError(.busy, message), after: retryAfter)
        case 503: .busy(PortError(.busy, message), after: retryAfter)
        case 500...: .unclear(PortError(.silent, message))
        default: .failed(PortError(.refused, message))
        }
    }
}
