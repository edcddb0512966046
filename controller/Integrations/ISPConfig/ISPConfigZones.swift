import ControllerCore
import IntegrationKit
import Model
import WireProtocol

extension ObjectProvider<DNSZone> {
    static func ispConfig(_ client: ISPConfigClient) -> ObjectProvider {
        ObjectProvider(
            bearsMarks: false,
            find: { name, _ throws(PortError) in
                guard let zone = try await client.zone(name) else { return nil }
                var found = DNSZone(domain: name)
                found.isServed = zone.isActive
                if zone.isActive { found.isServed = try await client.missingServers(zone).isEmpty }
                return MarkedObject(found, mark: nil)
            },
            put: { zone, _ throws(PortError) in try await client.put(zone.domain) },
            remove: { name, _ throws(PortError) in try await client.removeZone(name) })
    }
}

/// A zone as the panel has it.
struct ISPConfigZone: Sendable {
    var id: Int64
    var origin: String
    var isActive: Bool

    /// Values come as texts.
    init?(_ row: JSONValue) {
        guard let id = row["id"]?.number, let origin = row["origin"]?.asString else { return nil }
        (self.id, self.origin, isActive) = (id, origin.lowercased(), row["active"]?.asString == "Y")
    }
}

extension JSONValue {
    var number: Int64? { asInteger ?? asString.flatMap { Int64($0) } }
}

extension ISPConfigClient {
    /// By an exact filter: the call that looks ids up takes the beginning of a longer name for the name.
    func zone(_ domain: String) async throws(PortError) -> ISPConfigZone? {
        guard HostName.isValid(domain) else { throw PortError(.refused, "\(domain.quotable) is no name of a zone") }
        let rows = try await call("dns_zone_get", ["primary_id": ["origin": .string("\(domain).")]])
        return (rows.asArray ?? [rows]).compactMap { ISPConfigZone($0) }.first { $0.origin == "\(domain)." }
    }

    func missingServers(_ zone: ISPConfigZone) async throws(PortError) -> [String] {
        let there = try await rows(of: zone).filter { $0.type == "NS" && $0.isApex(of: zone) }.map(\.data)
        return settings.nameServers.map { "\($0)." }.filter { !there.contains($0) }
    }

    fileprivate func put(_ domain: String) async throws(PortError) {
        var zone = try await zone(domain)
        if zone == nil {
            do throws(PortError) { _ = try await call("dns_zone_add", newZone(domain), changes: true) } catch {
                guard error.kind == .silent || error.kind == .conflict else { throw error }
                zone = try await self.zone(domain)
                if zone == nil { throw error }
            }
            zone = try await self.zone(domain)
        }
        guard let zone else { throw PortError(.silent, "zone \(domain) was made and is not there") }
        for server in try await missingServers(zone) {
            try await add(
                ISPConfigRow(type: "NS", name: zone.origin, data: server, ttl: 3600), to: zone)
        }
        if !zone.isActive {
            _ = try await call(
                "dns_zone_update",
                ["client_id": .integer(settings.client), "primary_id": .integer(zone.id), "params": ["active": "Y"]],
                changes: true)
        }
        try await settle()
    }

    private func newZone(_ domain: String) -> JSONObject {
        let day = clock.now().iso8601.replacing("-", with: "").prefix(8)
        return [
            "client_id": .integer(settings.client),
            "params": [
                "server_id": .integer(settings.server), "origin": .string("\(domain)."),
                "ns": .string("\(settings.nameServers[0])."), "mbox": .string("\(settings.mailbox)."),
                "serial": .string("\(day)01"), "refresh": "7200", "retry": "540", "expire": "604800",
                // Whoever has asked too early for a name hears soon that it is there.
                "minimum": "60", "ttl": "3600", "active": "Y", "xfer": "", "also_notify": "", "update_acl": "",
            ],
        ]
    }

    /// The records first: they would stay behind.
    fileprivate func removeZone(_ domain: String) async throws(PortError) {
        guard let zone = try await zone(domain) else { return }
        for row in try await rows(of: zone) { try await remove(row) }
        _ = try await call("dns_zone_delete", ["primary_id": .integer(zone.id)], changes: true)
    }

    /// Waits until what was written has reached the name server. A panel that may not be asked is given no time.
    func settle() async throws(PortError) {
        let start = clock.uptime()
        while true {
            let left: Int64
            do throws(PortError) {
                left = try await call("monitor_jobqueue_count", ["server_id": .integer(settings.server)]).number ?? 0
            } catch {
                guard error.kind == .refused else { throw error }
                return
            }
            if left == 0 { return }
            guard clock.uptime() - start < .seconds(settings.settleSeconds) else {
                throw PortError(.busy, "\(left) changes have not reached the name server yet")
            }
            await clock.pause(.seconds(2))
            if Task.isCancelled { throw PortError(.busy, "nobody waits for the name server any more") }
        }
    }
}
