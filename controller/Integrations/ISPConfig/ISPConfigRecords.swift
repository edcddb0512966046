import ControllerCore
import IntegrationKit
import Model
import WireProtocol

extension ObjectProvider<DNSRecord> {
    static func ispConfig(_ client: ISPConfigClient) -> ObjectProvider {
        ObjectProvider(
            bearsMarks: false,
            find: { name, _ throws(PortError) in
                let (type, host) = try parts(name)
                guard let zone = try await client.zone(of: host) else { return nil }
                let rows = try await client.rows(of: zone).filter { $0.isOf(type, host, zone) }
                guard let row = rows.first else { return nil }
                var record = row.record(type, host)
                // One that was made twice, or is switched off, is not as it was wished.
                if rows.count > 1 || !row.isActive { record.ttl = 0 }
                return MarkedObject(record, mark: nil)
            },
            put: { record, _ throws(PortError) in try await put(client, record) },
            remove: { name, _ throws(PortError) in
                let (type, host) = try parts(name)
                guard let zone = try await client.zone(of: host) else { return }
                for row in try await client.rows(of: zone) where row.isOf(type, host, zone) {
                    try await client.remove(row)
                }
            })
    }

    private static func parts(_ name: String) throws(PortError) -> (DNSRecord.Kind, String) {
        guard let parts = DNSRecord.parts(of: name) else {
            throw PortError(.refused, "\(name.quotable) is no name of a DNS record")
        }
        return parts
    }

    /// The panel takes the same record any number of times: it is looked for before, and after an answer that was lost.
    private static func put(_ client: ISPConfigClient, _ record: DNSRecord) async throws(PortError) {
        if let problem = record.problem { throw PortError(.refused, problem) }
        guard let zone = try await client.zone(of: record.host) else {
            throw PortError(.refused, "the panel has no zone for \(record.host)")
        }
        let name = record.host == String(zone.origin.dropLast()) ? zone.origin : record.host.relative(to: zone)
        var wanted = ISPConfigRow(type: record.type.rawValue, name: name, data: record.value, ttl: record.ttl)
        if record.type == .cname { wanted.data += "." }
        let all = try await client.rows(of: zone)
        let others: Set<String> = record.type == .cname ? ["A", "AAAA", "TXT", "MX", "CNAME"] : ["CNAME"]
        let isInTheWay: (ISPConfigRow) -> Bool = { row in
            others.contains(row.type) && row.type != record.type.rawValue && row.fullName(zone) == record.host
        }
        if let other = all.first(where: isInTheWay) {
            throw PortError(.conflict, "\(record.host) has a record of type \(other.type)")
        }
        let there = all.filter { $0.isOf(record.type, record.host, zone) }
        for twin in there.dropFirst() { try await client.remove(twin) }
        if let one = there.first {
            if one.record(record.type, record.host) != record || !one.isActive {
                wanted.id = one.id
                try await client.update(wanted, in: zone)
            }
        } else {
            try await client.add(wanted, to: zone)
        }
        try await client.settle()
    }
}

extension String {
    fileprivate func relative(to zone: ISPConfigZone) -> String { String(dropLast(zone.origin.utf8.count)) }
}

/// A record as the panel has it.
struct ISPConfigRow: Sendable {
    var id: Int64 = 0
    var type: String
    /// Relative to the zone, or absolute with a dot at the end; empty for the zone itself.
    var name: String
    var data: String
    var ttl: Int64
    var isActive = true

    init(type: String, name: String, data: String, ttl: Int64) {
        (self.type, self.name, self.data, self.ttl) = (type, name, data, ttl)
    }

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.number, let type = json["type"]?.asString, let data = json["data"]?.asString else {
            return nil
        }
        self.init(
            type: type.uppercased(), name: json["name"]?.asString?.lowercased() ?? "", data: data,
            ttl: json["ttl"]?.number ?? 0)
        self.id = id
        isActive = json["active"]?.asString == "Y"
    }

    func fullName(_ zone: ISPConfigZone) -> String {
        if name.isEmpty || name == "@" { return String(zone.origin.dropLast()) }
        return name.hasSuffix(".") ? String(name.dropLast()) : "\(name).\(zone.origin.dropLast())"
    }

    func isApex(of zone: ISPConfigZone) -> Bool { fullName(zone) == String(zone.origin.dropLast()) }

    func isOf(_ type: DNSRecord.Kind, _ host: String, _ zone: ISPConfigZone) -> Bool {
        self.type == type.rawValue && fullName(zone) == host
    }

    func record(_ type: DNSRecord.Kind, _ host: String) -> DNSRecord {
        DNSRecord(type: type, host: host, value: type.plain(data), ttl: ttl)
    }
}

extension ISPConfigClient {
    private static let types: Set<String> = [
        "A", "AAAA", "ALIAS", "CAA", "CNAME", "DNAME", "HINFO", "LOC", "MX", "NAPTR", "NS", "PTR", "RP", "SRV", "SSHFP",
        "TLSA", "TXT",
    ]

    /// The zone with the longest name that the host lies in.
    func zone(of host: String) async throws(PortError) -> ISPConfigZone? {
        guard HostName.isValid(host) else { throw PortError(.refused, "\(host.quotable) is no name of a record") }
        var labels = host.split(separator: ".")[...]
        while labels.count >= 2 {
            let name = labels.joined(separator: ".")
            if !name.hasPrefix("_"), let zone = try await zone(name) { return zone }
            labels = labels.dropFirst()
        }
        return nil
    }

    func rows(of zone: ISPConfigZone) async throws(PortError) -> [ISPConfigRow] {
        let rows = try await call("dns_rr_get_all_by_zone", ["zone_id": .integer(zone.id)])
        return (rows.asArray ?? []).compactMap { ISPConfigRow($0) }
    }

    func add(_ row: ISPConfigRow, to zone: ISPConfigZone) async throws(PortError) {
        do throws(PortError) { try await change(row, zone, "add") } catch {
            guard error.kind == .silent else { throw error }
            let there = try await rows(of: zone)
            let isThere = there.contains {
                $0.type == row.type && $0.data == row.data && $0.fullName(zone) == row.fullName(zone)
            }
            guard isThere else { throw error }
        }
    }

    fileprivate func update(_ row: ISPConfigRow, in zone: ISPConfigZone) async throws(PortError) {
        try await change(row, zone, "update")
    }

    private func change(_ row: ISPConfigRow, _ zone: ISPConfigZone, _ verb: String) async throws(PortError) {
        var parameters: JSONObject = [
            "client_id": .integer(settings.client),
            // With the zone in it: else the serial of no zone is raised, and no secondary hears of it.
            "params": [
                "server_id": .integer(settings.server), "zone": .integer(zone.id), "name": .string(row.name),
                "type": .string(row.type), "data": .string(row.data), "aux": "0", "ttl": .string("\(row.ttl)"),
                "active": "Y", "stamp": .string(stamp), "serial": "1",
            ], "update_serial": true,
        ]
        if verb == "update" { parameters["primary_id"] = .integer(row.id) }
        _ = try await call("dns_\(row.type.lowercased())_\(verb)", parameters, changes: true)
    }

    func remove(_ row: ISPConfigRow) async throws(PortError) {
        guard Self.types.contains(row.type) else {
            throw PortError(.refused, "the panel has a record of type \(row.type.quotable), which cannot be removed")
        }
        let parameters: JSONObject = ["primary_id": .integer(row.id), "update_serial": true]
        _ = try await call("dns_\(row.type.lowercased())_delete", parameters, changes: true)
    }

    private var stamp: String { String(clock.now().iso8601.prefix(19).replacing("T", with: " ")) }
}
