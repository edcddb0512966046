import APIModels
import HTTPTypes
import Hummingbird
import Model
import NIOCore
import Store
import Transport

/// What stands between the router and an endpoint: key, scope, query, body, idempotency.
struct Front: Sendable {
    let authentication: Authentication
    let idempotency: Idempotency
    let bodyDeadline: Duration
    let now: @Sendable () -> Timestamp

    func respond(to request: Request, _ context: APIContext, _ endpoint: Endpoint) async throws -> Response {
        // The router passes over empty parts; a proxy in front may judge paths as they are written.
        guard !request.uri.path.contains("//") else { throw Problem(.notFound, "there is nothing at this path") }
        let caller = try await caller(of: request, context, endpoint.scope)
        let query = try QueryItems(request.uri.query, allowed: endpoint.description.query)
        var body: [UInt8] = []
        if endpoint.isChange { body = try await StrictBody.bytes(of: request, deadline: bodyDeadline) }
        let key = endpoint.isChange ? try Self.idempotencyKey(request) : nil
        let call = APICall(
            caller: caller, context: context, query: query, body: body,
            idempotencyKey: key.map { "\(caller.key):\($0)" }, lastEventID: request.headers[.lastEventID],
            time: now())
        guard let key else { return try await endpoint.handle(call).response }
        let digest = Idempotency.digest(endpoint.method.rawValue, request.uri.path, body)
        return try await idempotency.once(key, by: caller, digest: digest, at: call.time, logger: context.logger) {
            try await endpoint.handle(call)
        }
    }

    private func caller(of request: Request, _ context: APIContext, _ scope: Scope?) async throws -> Caller {
        guard let scope else { return Caller(key: "", name: "", scopes: [], remote: context.remote) }
        let caller = try await authentication.caller(request.headers[.authorization], remote: context.remote)
        // The connection of somebody who is known need not make room for strangers any more.
        context.channel.triggerUserOutboundEvent(PeerProved(), promise: nil)
        try caller.require(scope)
        return caller
    }

    private static func idempotencyKey(_ request: Request) throws(Problem) -> String? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(
                .badRequest, "Idempotency-Key must be 1 to 255 printable ASCII characters without spaces",
                field: "Idempotency-Key")
        }
        return key
    }
}
