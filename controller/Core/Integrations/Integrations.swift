import Model
package import Store
import Synchronization
package import WireProtocol

/// What the operator has set up, connected: each once, so that all operations share its session and its budget.
package final class Integrations: Sendable {
    package let kinds: [IntegrationKind]
    private let store: Store
    private let outside: IntegrationKind.Outside
    private let connected = Mutex<[String: Connected]>([:])

    private struct Connected {
        var kind: String
        var settingsAt: Timestamp
        var integration: Integration
    }

    package init(
        _ kinds: [IntegrationKind], store: Store, http: HTTPPort, clock: ClockPort, random: RandomPort = .system
    ) {
        (self.kinds, self.store) = (kinds, store)
        outside = IntegrationKind.Outside(http: http, clock: clock, random: random, name: "")
    }

    package func kind(_ name: String) -> IntegrationKind? { kinds.first { $0.name == name } }

    package var port: IntegrationsPort {
        IntegrationsPort(
            named: { name throws(PortError) in try await self.integration(name) },
            offering: { offer throws(PortError) in
                let able = Set(self.kinds.filter { $0.offers.contains(offer) }.map(\.name))
                return try await self.records().filter { able.contains($0.kind) }.map(\.name)
            })
    }

    /// The first resolver that is set up, or another one.
    package func resolver(else other: ResolverPort) -> ResolverPort {
        ResolverPort { name, type throws(PortError) in
            for resolver in try await self.port.offering(.resolver) {
                if let resolver = try await self.integration(resolver).resolver {
                    return try await resolver.look(name, type)
                }
            }
            return try await other.look(name, type)
        }
    }

    /// One of settings that are not kept here, such as credentials that came with a request: checked as an operator's are, and connected
    /// anew, with a session and a budget of its own, by each call.
    /// - Parameters:
    ///   - name: what it is called in errors.
    ///   - path: of the settings, for errors.
    ///   - reach: which addresses it may go to. Others than operators may have said where.
    package func connection(
        _ kind: String, _ settings: JSONObject, name: String, path: String = "settings",
        reach: OutboundRequest.Reach = .publicInternet
    ) throws(CoreError) -> Integration {
        guard let kind = self.kind(kind) else {
            throw .conflict("this version knows no integrations of the kind \(kind.prefix(64))")
        }
        var outside = outside
        (outside.name, outside.http) = (name, outside.http.reaching(reach))
        return kind.connect(try kind.checked(settings, path), outside)
    }

    /// Settings that are given, connected for one use.
    func connect(_ kind: IntegrationKind, _ record: IntegrationRecord) -> Integration {
        var outside = outside
        outside.name = record.name
        return kind.connect(record.settings, outside)
    }

    /// What its service shows; whoever asked does not wait for long.
    func test(
        _ kind: IntegrationKind, _ record: IntegrationRecord, within limit: Duration
    ) async -> [IntegrationCheck] {
        let integration = connect(kind, record)
        return await withTaskGroup(of: [IntegrationCheck].self) { group in
            group.addTask { await integration.test() }
            group.addTask { [clock = outside.clock] in
                await clock.timer(limit)
                return [IntegrationCheck("time", isPassed: false, "\(record.name) did not answer within \(limit)")]
            }
            defer { group.cancelAll() }
            return await group.next() ?? []
        }
    }

    private func integration(_ name: String) async throws(PortError) -> Integration {
        let found: IntegrationRecord?
        do throws(StoreError) { found = try await store.integration(name) } catch {
            throw PortError(.busy, "the store did not tell of integration \(name): \(error)")
        }
        guard let record = found else { throw .notSetUp("integration \(name)") }
        guard let kind = kind(record.kind) else {
            throw .notSetUp("integration \(name) of a kind that this version knows")
        }
        return connected.withLock { connected in
            if let known = connected[name], known.settingsAt == record.updatedAt, known.kind == record.kind {
                return known.integration
            }
            let made = connect(kind, record)
            connected[name] = Connected(kind: record.kind, settingsAt: record.updatedAt, integration: made)
            return made
        }
    }

    private func records() async throws(PortError) -> [IntegrationRecord] {
        do throws(StoreError) { return try await store.integrations() } catch {
            throw PortError(.busy, "the store did not tell of integrations: \(error)")
        }
    }
}
