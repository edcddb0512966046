import Model
import Store
package import WireProtocol

extension Operations {
    /// What the audit log calls a note.
    static let noted = "service.note"
    /// Characters of a note.
    private static var noteLength: ClosedRange<Int> { 1...2000 }

    /// Keeps what somebody has to say about a service, with the service.
    package func note(_ text: String, on service: String, by requester: Requester) async throws(CoreError) {
        guard Self.noteLength.contains(text.count),
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control || $0 == "\n" })
        else { throw .invalid(field: "note", problem: "must be 1 to 2000 characters of text") }
        let now = now
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            guard let record = try store.service(service, for: requester) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            try store.audit(Self.noted, record.id, by: requester, at: now, detail: ["note": .string(text)])
            return .success(())
        }
    }

    /// What an upgrade would change: by field, what is and what would be. Refused as the upgrade itself would be; nothing is recorded,
    /// and whether the node has room is seen when it is asked for.
    package func quote(
        _ service: String, _ request: UpgradeRequest, by requester: Requester
    ) async throws(CoreError) -> JSONObject {
        let catalogue = dependencies.catalogue
        return try await record { store throws(StoreError) -> Result<JSONObject, CoreError> in
            guard let record = try store.service(service, for: requester) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            let (product, verb): (Product, Verb)
            do throws(CoreError) {
                product = try catalogue.requireProduct(record.product)
                verb = try catalogue.requireVerb("upgrade", of: record).verb
            } catch { return .failure(error) }
            if let objection = try store.objection(to: verb, on: record, of: product) { return .failure(objection) }
            return try store.upgraded(record, product, request).map { parameters in
                let spec = parameters["spec"]?.asObject ?? [:]
                return product.specification.changes(record.spec, spec).asObject ?? [:]
            }
        }
    }
}
