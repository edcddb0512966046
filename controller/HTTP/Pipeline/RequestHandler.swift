import APIModels
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes

/// What stands between the router and an endpoint: key, scope, query, body, idempotency.
struct RequestHandler: Sendable {
    let pipeline: Pipeline
    let gatekeeper: Gatekeeper

    init(_ pipeline: Pipeline, _ authenticator: Authenticator) {
        self.pipeline = pipeline
        gatekeeper = Gatekeeper(pipeline: pipeline, authenticator: authenticator)
    }

    func respond(to request: Request, _ context: APIContext, _ endpoint: Endpoint) async throws -> Response {
        do {
            return try await answer(to: request, context, endpoint)
        } catch let denied as Denied {
            await note(denied, context, endpoint)
            throw denied.problem
        }
    }

    private func answer(to request: Request, _ context: APIContext, _ endpoint: Endpoint) async throws -> Response {
        // The router passes over empty parts; a proxy in front may judge paths as they are written.
        guard !request.uri.path.contains("//") else { throw Problem(.notFound, "there is nothing at this path") }
        let (caller, place) = try await gatekeeper.admit(request, context, endpoint)
        defer { context.release(place) }
        do {
            return try await answer(to: request, context, endpoint, caller)
        } catch let problem as Problem where problem.kind == .forbidden {
            throw Denied(problem, to: caller)
        }
    }

    private func answer(
        to request: Request, _ context: APIContext, _ endpoint: Endpoint, _ caller: Caller
    ) async throws -> Response {
        let query = try QueryItems(request.uri.query, allowed: endpoint.description.query)
        let expectation = try Expectation(request.headers)
        guard endpoint.isChange else {
            let answer = try await endpoint.handle(
                APICall(
                    caller: caller, context: context, query: query, body: [], idempotencyKey: nil,
                    lastEventID: request.headers[.lastEventID], expectation: expectation,
                    preference: Preference(request.headers), time: pipeline.now(), pipeline: pipeline))
            return read(answer, expectation, request.headers)
        }
        guard endpoint.description.isConditional || expectation.isEmpty else {
            throw Problem(.badRequest, "this change takes no If-Match and no If-None-Match", field: "If-Match")
        }
        try await Self.answerExpectation(request, context)
        let body = try await StrictBody.bytes(
            of: request, deadline: pipeline.settings.bodyDeadline, isPatch: endpoint.method == .patch)
        let key = try Self.idempotencyKey(request)
        let call = APICall(
            caller: caller, context: context, query: query, body: body,
            idempotencyKey: key.map { "\(caller.key):\($0)" }, lastEventID: nil, expectation: expectation,
            preference: Preference(request.headers), time: pipeline.now(), pipeline: pipeline)
        guard let key else { return try await endpoint.handle(call).response }
        let digest = Idempotency.digest(endpoint.method.rawValue, request.uri.path, body)
        return try await pipeline.idempotency.once(key, by: caller, digest: digest, at: call.time) {
            try await endpoint.handle(call)
        }
    }

    /// What was read, with a tag of the state in which it is; nothing but the tag for who knows that state.
    private func read(_ answer: Answer, _ expectation: Expectation, _ headers: HTTPFields) -> Response {
        guard case .json(let bytes, 200, _, _) = answer else { return answer.response }
        let tag = EntityTag(of: bytes)
        var response = answer.tagged(tag).response
        if expectation.noneMatch?.contains(tag) == true {
            response = Response(status: .notModified, headers: [.eTag: tag.description, .cacheControl: "no-store"])
        } else if bytes.count >= Gzip.threshold, Gzip.isAccepted(headers[.acceptEncoding]),
            let short = Gzip.compress(bytes)
        {
            response = Answer.json(short, status: 200, location: nil, tag: tag.compressed).response
            response.headers[.contentEncoding] = "gzip"
        }
        if bytes.count >= Gzip.threshold { response.headers[.vary] = "Accept-Encoding" }
        return response
    }

    /// Who waits for leave to send his body gets it once he has shown that he may.
    private static func answerExpectation(_ request: Request, _ context: APIContext) async throws {
        guard let expectation = request.headers[.expect] else { return }
        guard expectation.lowercased() == "100-continue" else {
            throw Problem(
                .expectationFailed, "Expect can be 100-continue, not \(expectation.prefix(60))", field: "Expect")
        }
        let head = HTTPResponsePart.head(HTTPResponse(status: .continue))
        do { try await context.channel.writeAndFlush(head) } catch { throw DepartedCaller() }
    }

    private func note(_ denied: Denied, _ context: APIContext, _ endpoint: Endpoint) async {
        await pipeline.onDenied(
            DeniedCall(
                time: pipeline.now(), actor: denied.actor, method: endpoint.method.rawValue, path: endpoint.path,
                status: denied.problem.status, reason: denied.problem.detail, remote: context.remote))
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
