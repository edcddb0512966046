import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Model
import WireProtocol

/// `POST /actions/restore`.
struct RestoreBody: Decodable, Sendable {
    var serviceID: SiteNumber
    var backup: String?
}

/// `POST /actions/snapshot` and `/actions/rollback`.
struct SnapshotBody: Decodable, Sendable {
    var serviceID: SiteNumber
    var snapshot: String?
}

/// `POST /actions/reset-password`.
struct PasswordBody: Decodable, Sendable {
    var serviceID: SiteNumber
    var password: String?
    var user: String?
}

/// `POST /actions/login`.
struct LoginBody: Decodable, Sendable {
    var serviceID: SiteNumber
    var user: String?
}

extension WordPressAPI {
    /// What customers do with their sites.
    func actions(_ paths: Paths) -> [Endpoint] {
        [
            action("restart", "End a site's container and start it again", SiteBody.self, paths) { body, call in
                let site = try await site(body.serviceID, call)
                return try await answer(order("restart", site, [:], call), body.serviceID, paths, call)
            },
            action("backup", "Back a site up", SiteBody.self, paths) { body, call in
                let work = try await backUp(site(body.serviceID, call), call)
                return try await answer(work, body.serviceID, paths, call) { ["backup": $0.newestBackup] }
            },
            Endpoint(
                .get, paths("/actions/backups"), .read,
                .init(summary: "A site's backups", tag: "actions", isForCustomers: true, query: ["service_id"])
            ) { call in
                let site = try await site(asked: call)
                return .site([
                    "service_id": .string(site.number.text), "backups": .array(site.backups.map { .object($0.json) }),
                    "snapshots": site.facts["snapshots"] ?? .array([]),
                ])
            },
            action("restore", "Take a site back to a backup", RestoreBody.self, paths) { body, call in
                let work = try await restore(site(body.serviceID, call), body.backup, call)
                return try await answer(work, body.serviceID, paths, call)
            },
            action("snapshot", "Keep the present state of a site", SnapshotBody.self, paths) { body, call in
                let name = body.snapshot ?? Self.snapshotName(call.time)
                let work = try await order(
                    "snapshot", site(body.serviceID, call), ["snapshot": .string(name)], call)
                return try await answer(work, body.serviceID, paths, call) { _ in ["snapshot": .string(name)] }
            },
            action("rollback", "Take a site back to a snapshot", SnapshotBody.self, paths) { body, call in
                guard let name = body.snapshot else {
                    throw Problem(.invalidField, "snapshot is missing", field: "snapshot")
                }
                let work = try await order(
                    "roll-back", site(body.serviceID, call), ["snapshot": .string(name)], call)
                return try await answer(work, body.serviceID, paths, call)
            },
            action("reset-password", "Give an administrator another password", PasswordBody.self, paths) { body, call in
                try await resetPassword(body, paths, call)
            },
            action("login", "A link that leads into the site's administration once", LoginBody.self, paths) {
                body, call in
                try await login(body, paths, call)
            },
        ]
    }

    private func action<Body: Decodable & Sendable>(
        _ name: String, _ summary: String, _ type: Body.Type, _ paths: Paths,
        _ handle: @escaping @Sendable (Body, APICall) async throws -> Answer
    ) -> Endpoint {
        Endpoint(
            .post, paths("/actions/\(name)"), .services,
            .init(summary: summary, tag: "actions", isForCustomers: true, body: type, repeated: 202)
        ) { call in try await handle(call.model(type), call) }
    }

    /// `api-20270115-080000`.
    private static func snapshotName(_ time: Timestamp) -> String {
        let digits = time.iso8601.utf8.filter { (0x30...0x39).contains($0) }
        let text = String(decoding: digits.prefix(14), as: UTF8.self)
        return "api-\(text.prefix(8))-\(text.dropFirst(8))"
    }

    /// Without one that is given a password is made, and told in this answer alone.
    private func resetPassword(_ body: PasswordBody, _ paths: Paths, _ call: APICall) async throws -> Answer {
        let made = body.password == nil ? Self.secret(24) : nil
        var parameters: JSONObject = ["password": .string(body.password ?? made ?? "")]
        parameters["user"] = body.user.map { .string($0) }
        let work = try await order("reset-password", site(body.serviceID, call), parameters, call)
        if made != nil { try work.requireNew() }
        return try await answer(work, body.serviceID, paths, call) { _ in
            made.map { ["password": .string($0)] } ?? [:]
        }
    }

    /// The token goes to the site and into the link, and is kept nowhere: nobody who reads the books can use it.
    private func login(_ body: LoginBody, _ paths: Paths, _ call: APICall) async throws -> Answer {
        let token = Self.secret(43)
        var parameters: JSONObject = ["token": .string(token)]
        parameters["user"] = body.user.map { .string($0) }
        let present = try await site(body.serviceID, call)
        let work = try await order("login", present, parameters, call)
        try work.requireNew()
        return try await answer(work, body.serviceID, paths, call) { site in
            guard let url = site.url else { return [:] }
            return [
                "login": [
                    "url": .string("\(url)/?innkeeper-login=\(token)"), "expires_in": .integer(Self.loginSeconds),
                ]
            ]
        }
    }

    /// For which the recipe lets a token stand.
    static let loginSeconds: Int64 = 300

    /// Letters and digits of the system's own generator.
    private static func secret(_ length: Int) -> String {
        let letters = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<length).map { _ in letters[Int.random(in: letters.indices, using: &generator)] })
    }
}

extension Site {
    fileprivate var newestBackup: JSONValue { backups.last.map { .object($0.json) } ?? .null }
}
