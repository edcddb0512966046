package import APIModels
package import HTTPTypes

/// One door of an API: what it is for, who may use it, and the function behind it. The router, the authentication and
/// the OpenAPI document are all made from these.
package struct Endpoint: Sendable {
    /// What the OpenAPI document says of it.
    package struct Description: Sendable {
        /// What it does, in a few words.
        package var summary: String
        /// The group under which it is listed.
        package var tag: String
        /// Who may use it, where the scope does not tell all.
        package var access: String?
        /// Each of these does as well as the scope; what exactly may be done with which the endpoint itself decides.
        package var otherScopes: Set<Scope> = []
        /// Whether a key that is bound to a customer may use it too. All else is closed to such keys.
        package var isForCustomers = false
        /// The query parameters; all others are refused.
        package var query: [QueryParameter] = []
        /// Model of the body.
        package var body: (any (Decodable & Sendable).Type)?
        /// Whether it may be asked for without a body.
        package var isBodyOptional = false
        /// Model of the answer; nil when there is no body, or it is not JSON.
        package var answer: (any (Decodable & Sendable).Type)?
        /// Of the answer where all went well.
        package var status = 200
        /// The status when the same was done before, where it is another one.
        package var repeated: Int?
        /// Of the answer.
        package var mediaType = "application/json"
        /// Whether a change honours `If-Match` and `If-None-Match`; the others refuse them.
        package var isConditional = false

        package init(
            summary: String, tag: String, isForCustomers: Bool = false, access: String? = nil,
            otherScopes: Set<Scope> = [], query: [QueryParameter] = [],
            body: (any (Decodable & Sendable).Type)? = nil, isBodyOptional: Bool = false,
            answer: (any (Decodable & Sendable).Type)? = nil, status: Int = 200, repeated: Int? = nil,
            mediaType: String = "application/json", isConditional: Bool = false
        ) {
            self.summary = summary
            self.tag = tag
            self.access = access
            self.otherScopes = otherScopes
            self.isForCustomers = isForCustomers
            self.query = query
            self.body = body
            self.isBodyOptional = isBodyOptional
            self.answer = answer
            self.status = status
            self.repeated = repeated
            self.mediaType = mediaType
            self.isConditional = isConditional
        }
    }

    package let method: HTTPRequest.Method
    /// `/api/v1/nodes/{node}`.
    package let path: String
    /// Nil for endpoints that need no key.
    package let scope: Scope?
    /// What the OpenAPI document says of it.
    package let description: Description
    let handle: @Sendable (APICall) async throws -> Answer

    package init(
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
    package var isChange: Bool { method != .get }

    /// Whether it is answered however many ask: it costs nothing, and watchdogs rely on it.
    var isAlwaysAnswered: Bool { path == "/healthz" }

    /// The names in braces.
    package var parameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}

extension HTTPField.Name {
    static let idempotencyKey = Self("Idempotency-Key")!
    static let idempotentReplay = Self("Idempotent-Replay")!
    static let requestID = Self("X-Request-Id")!
    static let lastEventID = Self("Last-Event-ID")!
}
