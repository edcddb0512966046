import APIModels
import HTTPTypes
import Hummingbird
import Model
import NIOCore
import Transport

/// Decides who comes in, and how many of one kind at once.
struct Gatekeeper: Sendable {
    let authentication: Authentication
    let places: CallerPlaces
    let now: @Sendable () -> Timestamp
    private let keys: Pace
    private let open: Pace
    private let guesses: Pace

    init(
        authentication: Authentication, places: CallerPlaces, settings: APISettings,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.authentication = authentication
        self.places = places
        self.now = now
        keys = Pace(settings.keyRate)
        open = Pace(settings.openRate)
        guesses = Pace(settings.guessRate)
    }

    /// Who asks, and the place that the request has until it is answered.
    func admit(
        _ request: Request, _ context: APIContext, _ endpoint: Endpoint
    ) async throws -> (caller: Caller, place: CallerPlaces.Place?) {
        guard let scope = endpoint.scope else {
            if !endpoint.isAlwaysAnswered { try hold(open, context.address, "requests from this address") }
            return (Caller(key: "", name: "", scopes: [], remote: context.remote), nil)
        }
        let caller = try await known(request, context)
        try hold(keys, caller.key, "requests with the key \(caller.key) (\(caller.name))")
        let place = try places.begin(caller, on: context.channel.connection)
        // The connection of somebody who is known need not make room for strangers any more.
        context.channel.connection.triggerUserOutboundEvent(PeerProved(), promise: nil)
        do throws(Problem) { try caller.require(scope) } catch { throw Denied(error, to: caller) }
        return (caller, place)
    }

    /// A key that holds always opens, whatever else comes from its address: behind a proxy all are one.
    private func known(_ request: Request, _ context: APIContext) async throws -> Caller {
        do {
            return try await authentication.caller(request.headers[.authorization], remote: context.remote)
        } catch let denied as Denied {
            try hold(guesses, context.address, "attempts without a valid key from this address")
            throw denied
        }
    }

    private func hold(_ pace: Pace, _ name: String, _ what: String) throws(Problem) {
        guard let wait = pace.take(name, at: now()) else { return }
        let seconds = Int(wait.wholeMilliseconds + 999) / 1000
        throw Problem(.hammering, "too many \(what); wait \(seconds) s", retryAfterSeconds: seconds)
    }
}

extension APIContext {
    /// Gives a place back: of a stream once the caller has taken all of the answer, for one connection has many of them.
    func release(_ place: CallerPlaces.Place?) {
        guard isStream else { return place?.release() ?? () }
        channel.closeFuture.whenComplete { _ in place?.release() }
    }
}
