package import Model
import Store

/// The answers to requests that may come again, kept in the store for as long as a requester may come back.
package struct RepeatedRequests: Sendable {
    /// What came of taking a key.
    package enum Outcome: Sendable, Hashable {
        /// It was free, and is taken now.
        case fresh
        /// It was taken for the same request, and there is no answer yet.
        case taken
        /// It was used for another request.
        case mismatch
        /// It was used for the same request, which got this answer.
        case answered(status: Int, text: String)
    }

    private let store: Store

    package init(_ operations: Operations) { store = operations.dependencies.store }

    /// Takes the key of a caller for a request.
    package func begin(
        _ key: String, of caller: String, digest: String, at time: Timestamp
    ) async throws(CoreError) -> Outcome {
        let record = IdempotencyRecord(
            key: key, scope: caller, digest: digest, status: 0, body: "", createdAt: time,
            expiresAt: time + Requester.keyLifetime)
        do throws(StoreError) {
            switch try await store.beginIdempotent(record) {
            case .fresh: return .fresh
            case .inProgress: return .taken
            case .mismatch: return .mismatch
            case .answered(let record): return .answered(status: record.status, text: record.body)
            }
        } catch { throw CoreError(error) }
    }

    /// Keeps the answer.
    package func finish(_ key: String, of caller: String, status: Int, text: String) async throws(CoreError) {
        do throws(StoreError) {
            try await store.finishIdempotent(scope: caller, key: key, status: status, body: text)
        } catch { throw CoreError(error) }
    }

    /// Gives the key free; nothing was done.
    package func drop(_ key: String, of caller: String) async throws(CoreError) {
        do throws(StoreError) { try await store.dropIdempotent(scope: caller, key: key) } catch {
            throw CoreError(error)
        }
    }
}
