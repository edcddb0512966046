import APIModels
import HTTPTypes
import Hummingbird

/// One door of the API: what it is for, who may use it, and the function behind it. The router, the authentication and
/// the OpenAPI document are all made from these.
struct Endpoint: Sendable {
    /// What the OpenAPI document says of it.
    struct Description: Sendable {
        var summary: String
        var tag: String
        /// Who may use it, where the scope does not tell all.
        var access: String?
        /// The query parameters; all others are refused.
        var query: [QueryParameter] = []
        /// Model of the body.
        var body: (any (Decodable & Sendable).Type)?
        var isBodyOptional = false
        /// Model of the answer; nil when there is no body, or it is not JSON.
        var answer: (any (Decodable & Sendable).Type)?
        var status = 200
        /// The status when the same was done before, where it is another one.
        var repeated: Int?
        var mediaType = "application/json"
        /// Whether a change honours `If-Match` and `If-None-Match`; the others refuse them.
        var isConditional = false
    }

    let method: HTTPRequest.Method
    /// `/api/v1/nodes/{node}`.
    let path: String
    /// Nil for endpoints that need no key.
    let scope: Scope?
    let description: Description
    let handle: @Sendable (APICall) async throws -> Answer

    init(
        _ method: HTTPRequest.Method, _ path: String, _ scope: Scope?, _ description: Description,
        _ handle: @escaping @Sendable (APICall) async throws -> Answer
    ) {
        self.method = method
        self.path = path
        self.scope = scope
        self.description = description
        self.handle = handle
    }

    /// Whether it changes something, and so has a body and an idempotency key.
    var isChange: Bool { method != .get }

    /// Whether it is answered however many ask: it costs nothing, and watchdogs rely on it.
    var isAlwaysAnswered: Bool { path == "/healthz" }

    /// The names in braces.
    var parameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}

extension HTTPField.Name {
    static let idempotencyKey = Self("Idempotency-Key")!
    static let idempotentReplay = Self("Idempotent-Replay")!
    static let requestID = Self("X-Request-Id")!
    static let lastEventID = Self("Last-Event-ID")!
}
