import APIModels
package import Model
import Store
package import WireProtocol

// For fronts that show services in shapes of their own.

/// Something that somebody has noted about a service.
package struct ServiceNote: Sendable, Hashable {
    package let time: Timestamp
    /// As the audit log has it: `key:ID`.
    package let by: String
    package let text: String
}

extension Queries {
    /// What its product shows of a service, by id or external id.
    package func facts(of text: String) async throws(CoreError) -> JSONObject {
        let record = try await service(text)
        let shown = catalogue.product(of: record)?.shown(record) ?? [:]
        return JSONValue.object(shown).withHiddenSecrets.asObject ?? [:]
    }

    /// Looks at a service from all sides; nothing where its product does not know how.
    package func examination(of text: String) async throws(CoreError) -> [ServiceRemark] {
        let record = try await service(text)
        guard let examine = catalogue.product(of: record)?.examine else { return [] }
        do throws(StoreError) {
            return await examine(try await ServiceLook(record, name: viewer.actor, dependencies))
        } catch { throw CoreError(error) }
    }

    /// What was noted about a service, newest first; a customer sees what he has noted himself.
    package func notes(on text: String, limit: Int) async throws(CoreError) -> [ServiceNote] {
        let (record, viewer) = (try await service(text), viewer)
        let rows = try await read { store throws(StoreError) in
            let page = PageRequest(limit: limit, order: .descending)
            let notes = try store.auditLog(
                subjects: [record.id], actors: viewer.customer == nil ? nil : [viewer.actor],
                actions: [Operations.noted], page: page
            ).items
            return notes.prefix(limit)
        }
        return rows.map { ServiceNote(time: $0.time, by: $0.actor, text: $0.detail["note"]?.asString ?? "") }
    }

    /// Under which addresses a proxy is reached; without a name, the one that there is.
    package func proxyAddresses(of name: String?) async throws(CoreError) -> [String] {
        try viewer.require(.read)
        let integrations = dependencies.ports.integrations
        do throws(PortError) {
            let names = if let name { [name] } else { try await integrations.offering(.proxy) }
            guard names.count == 1 else { return [] }
            return try await integrations.proxy(names[0]).addresses
        } catch { return [] }
    }
}
