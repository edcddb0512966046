import APIModels
import Hummingbird
import Model
import NIOCore
import Transport

/// Decides who comes in to a list of endpoints, and how many of one kind at once.
struct Gatekeeper: Sendable {
    let pipeline: Pipeline
    let authenticator: Authenticator

    /// Who asks, and the place that the request has until it is answered.
    func admit(
        _ request: Request, _ context: APIContext, _ endpoint: Endpoint
    ) async throws -> (caller: Caller, place: CallerPlaces.Place?) {
        guard let scope = endpoint.scope else {
            if !endpoint.isAlwaysAnswered { try hold(pipeline.open, context.address, "requests from this address") }
            return (Caller(key: "", name: "", scopes: [], remote: context.remote), nil)
        }
        let caller = try await known(request, context)
        try hold(pipeline.known, caller.key, "requests with the key \(caller.key) (\(caller.name))")
        let place = try pipeline.places.begin(caller, on: context.channel.connection)
        // The connection of somebody who is known need not make room for strangers any more.
        context.channel.connection.triggerUserOutboundEvent(PeerProved(), promise: nil)
        do throws(Problem) { try caller.require(scope, of: endpoint) } catch { throw Denied(error, to: caller) }
        return (caller, place)
    }

    /// A key that holds always opens, whatever else comes from its address: behind a proxy all are one.
    private func known(_ request: Request, _ context: APIContext) async throws -> Caller {
        do {
            var fields = request.headers
            fields[.addressedHost] = request.head.authority
            return try await authenticator.caller(fields, context.remote)
        } catch let denied as Denied {
            try hold(pipeline.guesses, context.address, "attempts without a valid key from this address")
            throw denied
        }
    }

    private func hold(_ pace: Pace, _ name: String, _ what: String) throws(Problem) {
        guard let wait = pace.take(name, at: pipeline.now()) else { return }
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
