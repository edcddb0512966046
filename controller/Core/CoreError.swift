package import Store

/// Why a request was not taken. Status and text that a front answers with are derived from it in one place.
package enum CoreError: Error, Sendable, Hashable {
    /// The request itself is wrong. `field` is a path such as `overrides.memory_bytes`.
    case invalid(field: String, problem: String)
    /// What a field says is well formed, and nothing that could ever be had.
    case unusable(field: String, problem: String)
    case notFound(kind: String, id: String)
    /// What a field of the request names is not there.
    case namesNothing(field: String, _ sentence: String)
    /// Whoever asks may not.
    case forbidden(String)
    /// It contradicts what is there already.
    case conflict(String)
    /// Right in itself, but not now.
    case notAllowedInState(resource: String, state: String, reason: String)
    /// It has changed since whoever asks looked at it.
    case notAsExpected(String)
    /// The store could not do it.
    case store(StoreError)
}

extension CoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalid(let field, let problem), .unusable(let field, let problem): "\(field) \(problem)"
        case .notFound(let kind, let id): "there is no \(kind) \(id)"
        case .namesNothing(_, let sentence), .forbidden(let sentence), .conflict(let sentence): sentence
        case .notAsExpected(let resource): "\(resource) is not as the request expects it; look at it again"
        case .notAllowedInState(let resource, let state, let reason): "\(resource) is \(state): \(reason)"
        case .store(let error): "\(error)"
        }
    }
}
