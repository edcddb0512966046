import Model
import SQL
import WireProtocol

/// What a version before kept in what was observed of a service, and this one in tables of its own.
enum OldObservations {
    private static let setting = "observed.unread"

    /// Reads it once, in one transaction. Without the key to what lies sealed it stays for the next who has it.
    static func bringForward(_ database: Database) throws(StoreError) {
        guard try has(setting, database) else { return }
        if database.sealKey == nil, try has("secrets.key", database) { return }
        try database.transaction { () throws(StoreError) in
            var last = ""
            while true {
                let rest = "WHERE id > ? AND state <> 'terminated' ORDER BY id LIMIT 500"
                let services = try database.select(ServiceRecord.self, rest, [last])
                for service in services { try bring(service, database) }
                guard let end = services.last else { break }
                last = end.id
            }
            try database.run("DELETE FROM settings WHERE name = ?", [setting])
        }
    }

    private static func has(_ setting: String, _ database: Database) throws(StoreError) -> Bool {
        try database.row("SELECT 1 FROM settings WHERE name = ?", [setting]) { (row) throws(SQLError) in
            try row.integer()
        } != nil
    }

    private static func bring(_ service: ServiceRecord, _ database: Database) throws(StoreError) {
        guard service.observed["domains"] != nil || service.observed["backups"] != nil else { return }
        for member in service.observed["domains"]?.asObject?.members ?? [] {
            guard let record = domain(member.value, of: service) else { continue }
            _ = try database.insertNew(record)
        }
        for one in service.observed["backups"]?.asArray ?? [] {
            guard let record = backup(one, of: service) else { continue }
            _ = try database.insertNew(record)
        }
        var service = service
        (service.observed["domains"], service.observed["backups"]) = (nil, nil)
        _ = try database.overwrite(service)
    }

    private static func domain(_ json: JSONValue, of service: ServiceRecord) -> DomainRecord? {
        guard let name = json["domain"]?.asString, let token = json["token"]?.asString else { return nil }
        let state = json["state"]?.asString.flatMap(DomainRecord.State.init(rawValue:)) ?? .awaitingProof
        return DomainRecord(
            service: service.id, name: name, token: token, state: state, reason: json["reason"]?.asString ?? "",
            zone: json["zone"]?.asString, isServed: state >= .certified, addedAt: service.updatedAt)
    }

    private static func backup(_ json: JSONValue, of service: ServiceRecord) -> BackupRecord? {
        guard let name = json["backup"]?.asString else { return nil }
        let time = json["time"]?.asInteger.map { Timestamp(milliseconds: $0) } ?? service.updatedAt
        return BackupRecord(
            id: Identifier.make("bak"), service: service.id, name: name, node: service.node,
            sizeBytes: json["size_bytes"]?.asInteger, madeAt: time)
    }
}
