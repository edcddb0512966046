import DriverKit
import Model
import WireProtocol

/// Databases of sites.
extension CloudPanelDriver {
    func listDatabases(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.optionalString("domain")
        try reader.finish()
        let found = try await database.databases().filter { domain == nil || $0.domain == domain }
        return .seen(["databases": .array(found.map { .object($0.json) })])
    }

    func addDatabase(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let spec = try DatabaseSpec(&reader)
        try reader.finish()
        let password = try call.password()
        try call.concerns("database/\(spec.name)")
        return try await gate.pass { () throws(DriverError) in
            if let found = try await find(spec.name) {
                try spec.check(found)
                return .seen(found.json)
            }
            try await makeRoom(for: spec)
            let answer = try await tool.call(
                "db:add",
                [
                    ("domainName", spec.domain), ("databaseName", spec.name), ("databaseUserName", spec.user),
                    ("databaseUserPassword", password),
                ], secrets: [password])
            guard let found = try await find(spec.name) else {
                let error = answer.failure("the panel does not know the database")
                throw isOnServer(spec.name) ? error.afterChange() : error
            }
            do throws(DriverError) {
                try spec.check(found)
            } catch { throw error.afterChange() }
            return ActionOutcome(changed: true, observed: found.json)
        }
    }

    func deleteDatabase(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("database")
        let domain = try reader.optionalString("domain")
        try reader.finish()
        try call.concerns("database/\(name)")
        return try await gate.pass { () throws(DriverError) in
            let gone: JSONObject = ["database": .string(name), "present": false]
            guard let found = try await find(name) else {
                guard isOnServer(name) else { return .seen(gone) }
                throw DriverError(.conflict, "the server has a database \(name) that the panel does not know")
            }
            if let domain, found.domain != domain {
                throw DriverError(
                    .conflict, "database \(name) belongs to \(found.domain ?? "no site"), not to \(domain)")
            }
            let answer = try await tool.call("db:delete", [("databaseName", name)], force: true)
            if try await find(name) != nil { throw answer.failure("the database is still there").afterChange() }
            if isOnServer(name) {
                throw DriverError(.failed, "the panel has forgotten the database \(name), the server has not")
                    .afterChange()
            }
            return ActionOutcome(changed: true, observed: gone)
        }
    }

    func find(_ name: String) async throws(DriverError) -> HostedDatabase? {
        try await database.databases().first { $0.name == name }
    }

    func require(_ name: String) async throws(DriverError) -> HostedDatabase {
        guard let found = try await find(name) else {
            throw DriverError(.notFound, "there is no database \(name)")
        }
        return found
    }

    /// The tool takes over a database that it does not know, and drops and makes anew a user of that name: somebody
    /// else's data would get a new owner. It is refused, unless the caller says that the database is his.
    private func makeRoom(for spec: DatabaseSpec) async throws(DriverError) {
        _ = try await database.requireSite(spec.domain)
        let all = try await database.databases()
        if let other = all.first(where: { $0.users.contains(spec.user) }) {
            throw DriverError(.conflict, "the user \(spec.user) belongs to the database \(other.name)")
        }
        if isOnServer(spec.name) && !spec.adopts {
            throw DriverError(
                .conflict, "the server has a database \(spec.name) that the panel does not know; adopt takes it over")
        }
    }

    /// Whether the server on this machine has a folder for it; nothing is known of one on another machine.
    private func isOnServer(_ name: String) -> Bool {
        let folder = name.map { $0 == "-" ? "@002d" : String($0) }.joined()
        return Files.exists("\(places.root)/var/lib/mysql/\(folder)")
    }
}

/// What a database is to be.
struct DatabaseSpec: Sendable, Hashable {
    let domain: String
    let name: String
    let user: String
    let adopts: Bool

    /// Accounts and databases of the server itself: the tool would drop such a user.
    private static let reserved: Set<String> = [
        "mysql", "sys", "information_schema", "performance_schema", "root", "debian-sys-maint", "mariadb", "clp",
        "mysql_session", "mysql_sys", "percona",
    ]

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        domain = try reader.string("domain")
        name = try reader.string("database")
        user = try reader.string("user")
        adopts = try reader.bool("adopt")
        guard user.utf8.count <= 32 else { throw .invalidArgument("user", "must have at most 32 characters") }
        for (key, text) in [("database", name), ("user", user)] where Self.reserved.contains(text.lowercased()) {
            throw .invalidArgument(key, "is the server's own")
        }
    }

    func check(_ found: HostedDatabase) throws(DriverError) {
        if found.domain != domain {
            throw DriverError(.conflict, "database \(name) belongs to \(found.domain ?? "no site"), not to \(domain)")
        }
        if !found.users.contains(user) {
            throw DriverError(.conflict, "database \(name) is there, without the user \(user)")
        }
    }
}
