import Model
package import Placement
import Store
import WireProtocol

/// The front of the core: takes requests, checks them, and records what is to be done.
///
/// A request is checked and recorded in one transaction, service, operation and audit row together. The executor does
/// the work afterwards. Reading has a front of its own, `Queries`.
package struct Operations: Sendable {
    let dependencies: Dependencies
    let rules: PlacementRules
    /// Tells the executor that there may be something to do.
    let wake: @Sendable () -> Void

    package init(
        dependencies: Dependencies, rules: PlacementRules = .standard, wake: @escaping @Sendable () -> Void = {}
    ) {
        self.dependencies = dependencies
        self.rules = rules
        self.wake = wake
    }

    var now: Timestamp { dependencies.clock.now() }

    /// What can be sold and done here.
    package var catalogue: Catalogue { dependencies.catalogue }

    /// How long operations took since the start.
    package var measures: OperationMeasures { dependencies.measures }

    /// Whether the store answers.
    package func isReady() async throws(CoreError) {
        do throws(StoreError) { _ = try await dependencies.store.setting("ready") } catch { throw CoreError(error) }
    }

    /// One transaction. A `CoreError` from the body comes out as it is, and undoes what was written before it.
    func record<Value: Sendable>(
        _ body: @escaping @Sendable (isolated Store) throws(StoreError) -> Result<Value, CoreError>
    ) async throws(CoreError) -> Value {
        let result: Result<Value, CoreError>
        do throws(StoreError) {
            result = try await dependencies.store.attempt(body)
        } catch {
            throw CoreError(error)
        }
        let value = try result.get()
        wake()
        return value
    }
}

extension CoreError {
    init(_ error: StoreError) {
        self =
            switch error {
            case .notFound(let kind, let id): .notFound(kind: kind, id: id)
            case .conflict: .conflict("\(error)")
            default: .store(error)
            }
    }
}

extension Store {
    /// Writes an audit row; call it in the transaction of the change.
    func audit(
        _ action: String, _ subject: String, by requester: Requester, at time: Timestamp, detail: JSONObject = [:]
    ) throws(StoreError) {
        try audit(
            AuditRecord(
                id: Identifier.make("aud"), time: time, actor: requester.name, action: action, subject: subject,
                detail: detail, remote: requester.remote))
    }
}
