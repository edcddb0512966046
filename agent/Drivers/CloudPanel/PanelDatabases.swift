import DriverKit
import WireProtocol

/// A database of the server that the panel knows.
struct HostedDatabase: Sendable, Hashable {
    let name: String
    let domain: String?
    /// The site's user.
    let owner: String?
    let users: [String]

    var json: JSONObject {
        var fields: JSONObject = ["database": .string(name), "users": .array(users.map { .string($0) })]
        if let domain { fields["domain"] = .string(domain) }
        return fields
    }
}

extension PanelDatabase {
    func databases() async throws(DriverError) -> [HostedDatabase] {
        let found = try await rows(
            [
                ("database", ["id", "site_id", "name"]), ("database_user", ["database_id", "user_name"]),
                ("site", ["id", "domain_name", "user"]),
            ], needed: ["database", "site"])
        let sites = Dictionary((found["site"] ?? []).map { ($0["id"], $0) }) { first, _ in first }
        return (found["database"] ?? []).compactMap { row in
            guard let name = row["name"], let id = row["id"] else { return nil }
            let site = sites[row["site_id"]]
            let users = (found["database_user"] ?? []).filter { $0["database_id"] == id }.compactMap { $0["user_name"] }
            return HostedDatabase(name: name, domain: site?["domain_name"], owner: site?["user"], users: users)
        }
    }
}
