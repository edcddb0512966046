/// An error as RFC 9457 has it (`application/problem+json`), with what a program needs to decide what to do next.
package struct Problem: Error, Codable, Sendable, Hashable {
    /// A stable name of the kind of problem: `urn:innkeeper:problem:not-found`.
    package var type: String
    /// The kind in a few words, the same for every occurrence.
    package var title: String
    /// The HTTP status.
    package var status: Int
    /// This occurrence in one sentence.
    package var detail: String
    /// The path that was asked for.
    package var instance: String?
    /// The field of the body or query that is wrong.
    package var field: String?
    /// Whether the same request may succeed later without a change.
    package var retryable: Bool
    /// Names the line in the controller's log that holds the cause, for errors that are not the caller's.
    package var errorID: String?
    /// How long to wait before that, where it is known.
    package var retryAfterSeconds: Int?

    package static let mediaType = "application/problem+json"
    private static let prefix = "urn:innkeeper:problem:"

    package init(
        _ kind: Kind, _ detail: String, field: String? = nil, retryable: Bool? = nil, errorID: String? = nil,
        retryAfterSeconds: Int? = nil
    ) {
        type = Self.prefix + kind.rawValue
        title = kind.title
        status = kind.status
        self.detail = detail
        self.field = field
        self.retryable = retryable ?? kind.retryable
        self.errorID = errorID
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// The kind, when this program knows it.
    package var kind: Kind? {
        type.hasPrefix(Self.prefix) ? Kind(rawValue: String(type.dropFirst(Self.prefix.count))) : nil
    }
}

extension Problem {
    /// Every kind of problem the API answers with; status, title and retryable follow from it here and nowhere else.
    package enum Kind: String, CaseIterable, Sendable {
        case badRequest = "bad-request"
        case invalidField = "invalid-field"
        case unusable = "unusable-value"
        case unauthenticated = "unauthenticated"
        case forbidden = "forbidden"
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case timeout = "request-timeout"
        case conflict = "conflict"
        case inFlight = "in-flight"
        case keyReused = "idempotency-key-reused"
        case preconditionFailed = "precondition-failed"
        case tooLarge = "too-large"
        case mediaType = "unsupported-media-type"
        case expectationFailed = "expectation-failed"
        case unplaceable = "unplaceable"
        case tooMany = "too-many-subscribers"
        case hammering = "too-many-requests"
        case internalError = "internal-error"
        case unavailable = "unavailable"
        case storageFull = "storage-full"

        package var status: Int {
            switch self {
            case .badRequest, .invalidField: 400
            case .unauthenticated: 401
            case .forbidden: 403
            case .notFound: 404
            case .methodNotAllowed: 405
            case .timeout: 408
            case .conflict, .inFlight, .unplaceable: 409
            case .preconditionFailed: 412
            case .tooLarge: 413
            case .mediaType: 415
            case .expectationFailed: 417
            case .keyReused, .unusable: 422
            case .hammering: 429
            case .internalError: 500
            case .tooMany, .unavailable: 503
            case .storageFull: 507
            }
        }

        package var title: String {
            switch self {
            case .badRequest: "The request cannot be understood"
            case .invalidField: "A field is not valid"
            case .unusable: "A field names what cannot be had"
            case .unauthenticated: "No valid API key was given"
            case .forbidden: "The API key may not do this"
            case .notFound: "There is no such thing"
            case .methodNotAllowed: "This method is not offered here"
            case .timeout: "The request took too long to arrive"
            case .conflict: "This conflicts with the present state"
            case .inFlight: "The same request is still being worked on"
            case .keyReused: "The idempotency key was used for another request"
            case .preconditionFailed: "It is not as the request expects it"
            case .tooLarge: "The request is too large"
            case .mediaType: "The body must be JSON"
            case .expectationFailed: "This expectation cannot be met"
            case .unplaceable: "No node can take this service"
            case .hammering: "Too many requests"
            case .tooMany: "Too many connections or event streams are open"
            case .internalError: "The controller failed"
            case .unavailable: "The controller cannot answer now"
            case .storageFull: "The controller's disk is full"
            }
        }

        var retryable: Bool {
            switch self {
            case .timeout, .inFlight, .unplaceable, .hammering, .tooMany, .internalError, .unavailable, .storageFull:
                true
            default: false
            }
        }
    }
}
