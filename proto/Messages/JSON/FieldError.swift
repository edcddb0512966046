/// A member of an object that is missing or not what it should be. Never quotes the value: it may be a secret.
package struct FieldError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Problem: Sendable, Hashable {
        case missing
        /// Another kind of JSON value than the named one.
        case type(expected: String)
        /// The right kind, outside the allowed values; says what is allowed.
        case value(expected: String)
        case tooMany(limit: Int)
        case unknownKey
    }

    /// From the outermost object: `receipts[3].id`.
    package private(set) var path: String
    package let problem: Problem

    package init(path: String, problem: Problem) {
        self.path = path
        self.problem = problem
    }

    /// The same error seen from the object around: `prefix.path`.
    package func under(_ prefix: String) -> FieldError {
        FieldError(path: path.isEmpty ? prefix : "\(prefix).\(path)", problem: problem)
    }

    package var description: String {
        switch problem {
        case .missing: "\(path) is missing"
        case .type(let expected): "\(path) must be \(expected)"
        case .value(let expected): "\(path) must be \(expected)"
        case .tooMany(let limit): "\(path) has more than \(limit) elements"
        case .unknownKey: "\(path) is not a known key"
        }
    }

    /// A name that stays, for tests and metrics.
    package var code: String {
        switch problem {
        case .missing: "missing"
        case .type: "type"
        case .value: "value"
        case .tooMany: "too_many"
        case .unknownKey: "unknown_key"
        }
    }
}
