package import SQL

/// Why the store refused or failed. Each says in one sentence what is wrong; `isRetryable` tells whether a later try
/// can succeed without anybody changing the request.
package enum StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another row has this value already. `field` is the column's name.
    case conflict(kind: String, field: String)
    case notFound(kind: String, id: String)
    /// The row is not in the state that the change needs.
    case wrongState(kind: String, id: String, state: String)
    case token(TokenProblem)
    /// None of the candidate values of an allocation is free.
    case exhausted(kind: String, scope: String)
    /// The caller gave something that cannot be.
    case invalid(String)
    /// The disk, a quota or a file size limit; nothing of the change was stored.
    case full(String)
    case readOnly(String)
    /// The file is damaged, or a row holds what this program cannot have written.
    case corrupt(String)
    case busy(String)
    /// The file was written by a newer version.
    case newerSchema(String, found: Int64, supported: Int64)
    /// There is no store at this path, where one must be.
    case missing(String)
    /// A file that is a backup of a store, to be restored before it is used.
    case isBackup(String)
    /// A database, but not a store.
    case notAStore(String)
    case closed
    case failed(String)

    package enum TokenProblem: String, Sendable, Hashable, CaseIterable {
        case unknown, expired, revoked
        case usedUp = "used up"
    }

    package var isRetryable: Bool {
        switch self {
        case .full, .readOnly, .busy, .failed: true
        default: false
        }
    }

    package var description: String {
        switch self {
        case .conflict(let kind, let field): "there is a \(kind) with the same \(field) already"
        case .notFound(let kind, let id): "there is no \(kind) \(id)"
        case .wrongState(let kind, let id, let state): "the \(kind) \(id) is \(state)"
        case .token(let problem): "the join token is \(problem.rawValue)"
        case .exhausted(let kind, let scope): "no free \(kind) is left\(scope.isEmpty ? "" : " in \(scope)")"
        case .invalid(let problem): problem
        case .full(let cause): "the store has no room: \(cause)"
        case .readOnly(let cause): "the store cannot be written: \(cause)"
        case .corrupt(let cause): "the store is damaged: \(cause)"
        case .busy(let cause): "the store is in use by another program: \(cause)"
        case .newerSchema(let path, let found, let supported):
            "the store \(path) has schema \(found), this version knows up to \(supported): install the newer version again"
        case .missing(let path): "the store \(path) is missing or empty"
        case .isBackup(let path): "\(path) is a backup: bring it in with innkeeper-controller restore"
        case .notAStore(let path): "\(path) is a database, but not a store of the controller"
        case .closed: "the store is closed"
        case .failed(let cause): "the store failed: \(cause)"
        }
    }
}

extension StoreError: SQLFailure {
    package init(_ error: SQLError) {
        self =
            switch error.kind {
            case .full: .full(error.message)
            case .readOnly: .readOnly(error.message)
            case .corrupt, .notADatabase, .mismatch: .corrupt(error.message)
            case .busy: .busy(error.message)
            case .constraint: error.duplicate.flatMap(Self.conflict) ?? .failed("\(error)")
            case .closed: .closed
            default: .failed("\(error)")
            }
    }

    /// A duplicate in `services (external_id)` is a conflict of a service in `external_id`; with several columns the last
    /// tells most.
    private static func conflict(_ table: String, _ columns: [String]) -> StoreError? {
        guard let field = columns.last else { return nil }
        return .conflict(kind: table.hasSuffix("s") ? String(table.dropLast()) : table, field: field)
    }

    /// Runs `body`; its errors name the database that it works with.
    static func naming<Value>(_ name: String, _ body: () throws(SQLError) -> Value) throws(StoreError) -> Value {
        do throws(SQLError) { return try body() } catch { throw StoreError(error.naming(name)) }
    }
}
