import ControllerCore
import IntegrationKit
import WireProtocol

extension ObjectProvider<DNSRecord> {
    /// The mark is the record's comment. The API is no set: a second record of a name makes a second answer, so that all that the name
    /// has is looked at before anything is made.
    static func cloudflare(_ client: CloudflareClient) -> ObjectProvider {
        ObjectProvider(
            find: { name, mark throws(PortError) in
                let (type, host) = try parts(name)
                let found = try await client.records(host, type)
                guard let one = found.first(where: { $0.mark == mark }) ?? type.stranger(found) else { return nil }
                // One that is proxied, or has a twin, is not as it was wished.
                var record = one.record
                if one.isProxied || found.count(where: { $0.mark == mark }) > 1 { record.ttl = 0 }
                return MarkedObject(record, mark: one.mark)
            },
            put: { record, mark throws(PortError) in try await put(client, record, mark) },
            remove: { name, mark throws(PortError) in
                let (type, host) = try parts(name)
                for found in try await client.records(host, type) where found.mark == mark {
                    try await client.remove(found.id, host)
                }
            })
    }

    private static func parts(_ name: String) throws(PortError) -> (DNSRecord.Kind, String) {
        guard let parts = DNSRecord.parts(of: name) else {
            throw PortError(.refused, "\(name.quotable) is no name of a DNS record")
        }
        return parts
    }

    private static func put(
        _ client: CloudflareClient, _ record: DNSRecord, _ mark: String
    ) async throws(PortError) {
        if let problem = record.problem { throw PortError(.refused, problem) }
        let there = try await client.records(record.host)
        let ours = there.filter { $0.record.type == record.type && $0.mark == mark }
        if let other = record.obstacle(among: there.filter { $0.mark != mark }) {
            throw PortError(
                .conflict,
                "\(record.host) has a record of type \(other.record.type.rawValue) that is not this service's")
        }
        // A name changes from an address to an alias of ours: the two cannot be there together.
        for found in there where found.mark == mark && found.record.type.excludes(record.type) {
            try await client.remove(found.id, record.host)
        }
        // What was made twice, when an answer was lost, is one again.
        for twin in ours.dropFirst() { try await client.remove(twin.id, record.host) }
        guard let one = ours.first else { return try await client.make(record, mark) }
        if one.record != record || one.isProxied { try await client.change(one.id, record, mark) }
    }
}

extension DNSRecord.Kind {
    fileprivate func excludes(_ other: DNSRecord.Kind) -> Bool { self != other && (self == .cname || other == .cname) }

    /// What of somebody else's is in the way of one of this type. Texts of others stand beside ours.
    fileprivate func stranger(_ found: [CloudflareClient.Found]) -> CloudflareClient.Found? {
        self == .txt ? nil : found.first
    }
}

extension DNSRecord {
    fileprivate func obstacle(among others: [CloudflareClient.Found]) -> CloudflareClient.Found? {
        others.first { other in
            type == .txt && other.record.type == .txt
                ? other.record.value == value : other.record.type == type || other.record.type.excludes(type)
        }
    }
}

extension CloudflareClient.Found {
    static let prefix = "innkeeper: "

    /// Whose it is; nil for one that is not ours.
    var mark: String? { comment.hasPrefix(Self.prefix) ? String(comment.dropFirst(Self.prefix.count)) : nil }
}

extension CloudflareClient {
    fileprivate func make(_ record: DNSRecord, _ mark: String) async throws(PortError) {
        let zone = try await zone()
        do throws(PortError) {
            _ = try await call("POST", "/zones/\(zone)/dns_records", "record \(record.name)", body: body(record, mark))
        } catch {
            // There already, or nobody knows: who has it decides.
            guard error.kind == .conflict || error.kind == .silent else { throw error }
            let there = try await records(record.host, record.type)
            guard there.contains(where: { $0.mark == mark && $0.record == record }) else { throw error }
        }
    }

    /// Type, name and content go along: an edit that leaves them out is read in more than one way.
    fileprivate func change(_ id: String, _ record: DNSRecord, _ mark: String) async throws(PortError) {
        let zone = try await zone()
        _ = try await call(
            "PATCH", "/zones/\(zone)/dns_records/\(id)", "record \(record.name)", body: body(record, mark))
    }

    fileprivate func remove(_ id: String, _ host: String) async throws(PortError) {
        let zone = try await zone()
        _ = try await call("DELETE", "/zones/\(zone)/dns_records/\(id)", "record of \(host)")
    }

    private func body(_ record: DNSRecord, _ mark: String) -> JSONValue {
        var body: JSONObject = [
            "type": .string(record.type.rawValue), "name": .string(record.host),
            "content": .string(record.type == .txt ? RecordText.quoted(record.value) : record.value),
            "ttl": .integer(record.ttl), "comment": .string(Found.prefix + mark),
        ]
        if record.type != .txt { body["proxied"] = false }
        return .object(body)
    }
}
