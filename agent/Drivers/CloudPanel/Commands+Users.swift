import DriverKit
import Model
import WireProtocol

/// Those who may log in to the panel.
extension CloudPanelDriver {
    func listUsers(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        return .seen(["users": .array(try await database.users().map { .object($0.json) })])
    }

    func addUser(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let spec = try UserSpec(&reader)
        try reader.finish()
        let password = try call.password()
        try call.concerns("user/\(spec.user.name)")
        return try await gate.pass { () throws(DriverError) in
            if let found = try await database.user(spec.user.name) {
                try spec.check(found)
                return .seen(found.json)
            }
            try checkRole(of: spec.user)
            for site in spec.user.sites { _ = try await database.requireSite(site) }
            let answer = try await tool.call(
                "user:add", spec.options + [("password", password)], secrets: [password])
            guard let found = try await database.user(spec.user.name) else {
                throw answer.failure("the panel does not know the user")
            }
            do throws(DriverError) {
                try spec.check(found)
            } catch { throw error.afterChange() }
            return ActionOutcome(changed: true, observed: found.json)
        }
    }

    func deleteUser(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let name = try userName(of: call)
        return try await gate.pass { () throws(DriverError) in
            let gone: JSONObject = ["user": .string(name), "present": false]
            guard try await database.user(name) != nil else { return .seen(gone) }
            let answer = try await tool.call("user:delete", [("userName", name)])
            if try await database.user(name) != nil { throw answer.failure("the user is still there") }
            return ActionOutcome(changed: true, observed: gone)
        }
    }

    /// The panel keeps a salted hash: that it is another afterwards is all that can be seen.
    func setUserPassword(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let name = try userName(of: call)
        let password = try call.password()
        return try await gate.pass { () throws(DriverError) in
            guard let user = try await database.user(name), let before = try await database.passwordHash(of: name)
            else {
                throw DriverError(.notFound, "there is no user \(name)")
            }
            try checkRole(of: user)
            let answer = try await tool.call(
                "user:reset:password", [("userName", name), ("password", password)], secrets: [password])
            guard let after = try await database.passwordHash(of: name), after != before else {
                throw answer.failure("the password is the old one")
            }
            return ActionOutcome(changed: true, observed: ["user": .string(name)])
        }
    }

    private func checkRole(of user: PanelUser) throws(DriverError) {
        guard user.role != "user", !allowsAdministrators else { return }
        throw DriverError(
            .permissionDenied, "a user of the role \(user.role) has the whole panel, which this node does not allow",
            cause: "\"cloudpanel_allow\": [\"administrators\"] in the agent's configuration allows it")
    }

    private func userName(of call: ActionCall) throws(DriverError) -> String {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("user")
        try reader.finish()
        try call.concerns("user/\(name)")
        return name
    }
}

/// A user of the panel.
struct PanelUser: Sendable, Hashable {
    var name: String
    var email: String
    /// `admin`, `site-manager` or `user`.
    var role: String
    /// The domains that a `user` may work on, sorted; the other roles have all.
    var sites: [String]
    var isActive: Bool

    var json: JSONObject {
        var fields: JSONObject = [
            "user": .string(name), "email": .string(email), "role": .string(role), "active": .bool(isActive),
        ]
        if role == "user" { fields["sites"] = .array(sites.map { .string($0) }) }
        return fields
    }
}

/// What a user is to be.
struct UserSpec: Sendable {
    let user: PanelUser
    private let firstName: String
    private let lastName: String
    private let timezone: String

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        let role = try reader.string("role")
        let sites = try reader.strings("sites") ?? []
        guard (role == "user") == !sites.isEmpty else {
            throw .invalidArgument("sites", role == "user" ? "is missing" : "is for the role user only")
        }
        user = PanelUser(
            name: try reader.string("user"), email: try reader.string("email"), role: role,
            sites: Set(sites).sorted(), isActive: try reader.bool("active"))
        firstName = try reader.string("first_name")
        lastName = try reader.string("last_name")
        timezone = try reader.string("timezone")
    }

    var options: [(name: String, value: String)] {
        let common = [
            ("userName", user.name), ("email", user.email), ("firstName", firstName), ("lastName", lastName),
            ("role", user.role), ("timezone", timezone), ("status", user.isActive ? "1" : "0"),
        ]
        return user.sites.isEmpty ? common : common + [("sites", user.sites.joined(separator: ","))]
    }

    func check(_ found: PanelUser) throws(DriverError) {
        if found != user {
            let differing = [
                (found.email != user.email, "e-mail address"), (found.role != user.role, "role"),
                (found.sites != user.sites, "sites"), (found.isActive != user.isActive, "state"),
            ].filter(\.0).map(\.1)
            let what = differing.joined(separator: ", ")
            throw DriverError(.conflict, "user \(user.name) is there and differs in \(what)")
        }
    }
}

extension PanelDatabase {
    func users() async throws(DriverError) -> [PanelUser] {
        let found = try await rows(
            [
                ("user", ["id", "user_name", "email", "role", "status"]), ("site", ["id", "domain_name"]),
                ("user_sites", ["user_id", "site_id"]),
            ], needed: ["user"])
        let domains = Dictionary((found["site"] ?? []).map { ($0["id"], $0["domain_name"]) }) { first, _ in first }
        return (found["user"] ?? []).compactMap { row in
            guard let name = row["user_name"], let id = row["id"] else { return nil }
            let sites = (found["user_sites"] ?? []).filter { $0["user_id"] == id }
                .compactMap { domains[$0["site_id"]] ?? nil }.sorted()
            let role = (row["role"] ?? "").lowercased().split(separator: "_").dropFirst().joined(separator: "-")
            return PanelUser(
                name: name, email: row["email"] ?? "", role: role, sites: role == "user" ? sites : [],
                isActive: row["status"] == "1")
        }
    }

    func user(_ name: String) async throws(DriverError) -> PanelUser? {
        try await users().first { $0.name == name }
    }

    /// To compare, never to show.
    func passwordHash(of name: String) async throws(DriverError) -> String? {
        let found = try await rows([("user", ["id", "user_name", "password"])], needed: ["user"])
        return found["user"]?.first { $0["user_name"] == name }?["password"]
    }
}
