package import Model
package import Saga
package import Store
package import WireProtocol

/// How a product does a verb.
package struct ProductVerb: Sendable {
    package var verb: Verb
    /// One sentence for people.
    package var summary: String
    package var parameters: VerbParameters
    /// The table that new operations begin under, and those of released versions that are not it.
    package var tables: [SagaTable] { sagas.map(\.table) }
    private let sagas: [Bindable]
    /// Notes in the service what was achieved; part of the transaction that ends the operation.
    package var conclude: Conclusion

    /// Notes in the core's own tables what was achieved, domains and backups; part of the same transaction.
    package var settle: Settlement

    package typealias Conclusion =
        @Sendable (inout ServiceRecord, OperationRecord, _ outputs: [String: JSONValue]) -> Void
    package typealias Settlement =
        @Sendable (isolated Store, OperationRecord, _ outputs: [String: JSONValue], Timestamp) throws(StoreError) ->
        Void

    private struct Bindable: Sendable {
        var table: SagaTable
        var bind: @Sendable (ServiceScope) throws -> BoundSaga
    }

    /// - Parameters:
    ///   - saga: what new operations run; `earlier`: tables of released versions, for operations that began under them.
    ///   - scope: what its steps work in, made from what the core gives; throws when the service's record makes none.
    package init<Scope: Sendable>(
        _ verb: Verb, summary: String, parameters: VerbParameters = .none, saga: SagaDefinition<Scope>,
        earlier: [SagaDefinition<Scope>] = [], scope: @escaping @Sendable (ServiceScope) throws -> Scope,
        conclude: @escaping Conclusion = { _, _, _ in },
        settle: @escaping Settlement = { (_, _, _, _) throws(StoreError) in }
    ) {
        (self.verb, self.summary, self.parameters) = (verb, summary, parameters)
        (self.conclude, self.settle) = (conclude, settle)
        sagas = ([saga] + earlier).map { definition in
            Bindable(table: definition.table) { base in definition.bound(to: try scope(base)) }
        }
    }

    /// - Parameter revision: of the table that the operation began with; nil for one that has not begun.
    /// - Returns: nil for a revision that this version does not know.
    func saga(revision: Int64?, scope: ServiceScope) throws -> BoundSaga? {
        guard let revision else { return try sagas[0].bind(scope) }
        return try sagas.first { $0.table.revision == revision }?.bind(scope)
    }
}

/// What somebody has to say with a verb.
package struct VerbParameters: Sendable {
    /// JSON Schema.
    package var schema: JSONObject
    /// Reads and checks what the schema has let through; what comes out is stored with the operation.
    package var read: @Sendable (JSONObject) throws(CoreError) -> JSONObject

    package init(schema: JSONObject, read: @escaping @Sendable (JSONObject) throws(CoreError) -> JSONObject) {
        (self.schema, self.read) = (schema, read)
    }

    package static let none = VerbParameters(
        schema: ["type": "object", "additionalProperties": false],
        read: { (_) throws(CoreError) in [:] })
}
