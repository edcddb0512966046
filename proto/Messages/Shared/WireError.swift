/// Why a line is not a message. The link that sent it is closed with a `goodbye` of code `malformed` and this reason.
package enum WireError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Not JSON, or beyond the limits.
    case json(JSONError)
    /// JSON, but not an object.
    case notAnObject
    /// A known `type` with a member that is missing or wrong; or `type` itself (then `message` is empty).
    case field(message: String, FieldError)

    package var description: String {
        switch self {
        case .json(let error): "not a JSON line: \(error)"
        case .notAnObject: "not a JSON object"
        case .field("", let error): "\(error)"
        case .field(let message, let error): "\(message): \(error)"
        }
    }

    /// A name that stays, for tests and metrics.
    package var code: String {
        switch self {
        case .json(let error): error.code
        case .notAnObject: "not_an_object"
        case .field(_, let error): error.code
        }
    }

    /// The member at fault; nil when the line as a whole is.
    package var path: String? {
        if case .field(_, let error) = self { error.path } else { nil }
    }
}
