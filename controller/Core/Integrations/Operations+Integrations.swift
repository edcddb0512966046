import Model
import Store
package import WireProtocol

extension Operations {
    /// What can be set up.
    package var integrationKinds: [IntegrationKind] { dependencies.integrations.kinds }

    /// As sagas are given them.
    package var integrationsPort: IntegrationsPort { dependencies.ports.integrations }

    /// Sets one up. Its service is not called: a test does that.
    package func addIntegration(
        name: String, kind: String, settings: JSONObject, by requester: Requester
    ) async throws(CoreError) -> IntegrationSummary {
        try requester.requireFleet()
        guard Grammar.planName.accepts(name) else {
            throw .invalid(field: "name", problem: "must be \(Grammar.planName.expectation)")
        }
        guard let kind = dependencies.integrations.kind(kind) else {
            let known = integrationKinds.map(\.name).joined(separator: ", ")
            throw .invalid(field: "kind", problem: "must be one of \(known), not \"\(kind.prefix(64))\"")
        }
        let (now, settings) = (now, try kind.checked(settings.withoutNulls, "settings"))
        return try await record { store throws(StoreError) in
            guard try store.integration(name) == nil else {
                return .failure(.conflict("there is an integration \(name) already"))
            }
            let record = IntegrationRecord(
                name: name, kind: kind.name, settings: settings, createdAt: now, updatedAt: now)
            try store.insertIntegration(record)
            try store.audit(
                "integration.create", name, by: requester, at: now,
                detail: ["kind": .string(kind.name), "changed": kind.changes([:], settings)])
            return .success(IntegrationSummary(record, kind, users: 0))
        }
    }

    /// Changes its settings as a whole. A secret that is not given stays, one that is null is taken away.
    package func updateIntegration(
        name: String, settings: JSONObject, by requester: Requester
    ) async throws(CoreError) -> IntegrationSummary {
        try requester.requireFleet()
        let (now, integrations) = (now, dependencies.integrations)
        return try await record { store throws(StoreError) in
            guard var record = try store.integration(name) else {
                return .failure(.notFound(kind: "integration", id: name))
            }
            guard let kind = integrations.kind(record.kind) else {
                return .failure(.conflict("this version knows no integrations of the kind \(record.kind)"))
            }
            let (before, wanted): (JSONObject, JSONObject)
            do throws(CoreError) {
                before = record.settings
                wanted = try kind.checked(kind.completed(settings, from: before), "settings")
            } catch { return .failure(error) }
            let users = try store.integrationUsers()[name] ?? 0
            guard wanted != before else { return .success(IntegrationSummary(record, kind, users: users)) }
            // The time tells who is connected that there are new settings.
            record.updatedAt = max(now, record.updatedAt + .milliseconds(1))
            record.settings = wanted
            try store.updateIntegration(record)
            try store.audit(
                "integration.update", name, by: requester, at: now, detail: ["changed": kind.changes(before, wanted)])
            return .success(IntegrationSummary(record, kind, users: users))
        }
    }

    /// Removes one that no service uses. What its service keeps is not touched.
    package func removeIntegration(name: String, by requester: Requester) async throws(CoreError) {
        try requester.requireFleet()
        let now = now
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            guard try store.integration(name) != nil else {
                return .failure(.notFound(kind: "integration", id: name))
            }
            if let service = try store.servicesUsing(integration: name, limit: 1).first {
                return .failure(
                    .notAllowedInState(
                        resource: "integration \(name)", state: "in use", reason: "service \(service) has things there")
                )
            }
            try store.removeIntegration(name)
            try store.audit("integration.delete", name, by: requester, at: now)
            return .success(())
        }
    }

    /// Calls its service and looks whether everything is as it must be.
    package func testIntegration(name: String, by requester: Requester) async throws(CoreError) -> IntegrationReport {
        try requester.requireFleet()
        let record = try await read { store throws(StoreError) in try store.integration(name) }
        guard let record else { throw .notFound(kind: "integration", id: name) }
        guard let kind = dependencies.integrations.kind(record.kind) else {
            throw .conflict("this version knows no integrations of the kind \(record.kind)")
        }
        let checks = await dependencies.integrations.test(kind, record, within: .seconds(25))
        let report = IntegrationReport(integration: name, time: now, checks: checks)
        let failed = checks.filter { !$0.isPassed }.map { JSONValue.string($0.name) }
        try await self.record { store throws(StoreError) -> Result<Void, CoreError> in
            try store.audit(
                "integration.test", name, by: requester, at: report.time, detail: ["failed": .array(failed)])
            return .success(())
        }
        return report
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (isolated Store) throws(StoreError) -> Value
    ) async throws(CoreError) -> Value {
        do throws(StoreError) { return try await dependencies.store.atomically(body) } catch { throw CoreError(error) }
    }
}

extension IntegrationKind {
    /// New settings with the secrets that are there where none are given.
    fileprivate func completed(_ settings: JSONObject, from known: JSONObject) -> JSONObject {
        var complete = settings
        for secret in secrets where settings[secret] == nil { complete[secret] = known[secret] }
        return complete.withoutNulls
    }

    /// For the audit log. Of secrets the names alone.
    fileprivate func changes(_ before: JSONObject, _ after: JSONObject) -> JSONValue {
        var changes = JSONValue.changes(before, after).asObject ?? [:]
        for secret in secrets where changes[secret] != nil { changes[secret] = "changed" }
        return .object(changes)
    }
}

extension JSONObject {
    fileprivate var withoutNulls: JSONObject {
        JSONObject(members.filter { !$0.value.isNull }.map { ($0.key, $0.value) })
    }
}
