import AgentCommands
import WireProtocol

@testable import ControllerCore

extension ModelPanels.State {
    /// What the driver's actions do.
    mutating func run(_ call: AgentCommand, _ node: String) throws(Refusal) -> JSONObject {
        let domain = call.arguments["domain"]?.asString ?? ""
        let key = "\(node) \(domain)"
        let mark = call.arguments["mark"]?["service"]?.asString
        if let mark, let owner = belongings.sites[key]?.service, owner != mark { throw Refusal(code: .foreign) }
        switch call.action {
        case "site.add": return try add(call, node, domain)
        case "backup.delete":
            belongings.backups["\(node) \(call.arguments["backup"]?.asString ?? "")"] = nil
            return ["present": false]
        case "database.list":
            let names = belongings.sites[key]?.databases.keys.sorted() ?? []
            return ["databases": .array(names.map { ["database": .string($0)] })]
        case "database.delete":
            let name = call.arguments["database"]?.asString ?? ""
            belongings.sites[key]?.databases[name] = nil
            return ["database": .string(name), "present": false]
        case "site.delete":
            if let site = belongings.sites[key], let user = call.arguments["user"]?.asString, user != site.user {
                throw Refusal(code: .conflict, message: "site \(domain) belongs to \(site.user)")
            }
            belongings.sites[key] = nil
            return ["domain": .string(domain), "present": false]
        default: break
        }
        guard var site = belongings.sites[key] else {
            if call.action == "site.unmark" { return ["present": false] }
            throw Refusal(code: .notFound)
        }
        defer { belongings.sites[key] = site }
        switch call.action {
        case "site.show": break
        case "site.mark":
            if site.service == nil {
                (site.service, site.nonce) = (mark, call.arguments["mark"]?["nonce"]?.asString ?? call.id)
            }
        case "site.unmark": (site.service, site.nonce) = (nil, nil)
        case "site.suspend": site.isSuspended = true
        case "site.resume": site.isSuspended = false
        case "site.aliases": site.aliases = call.arguments["names"]?.asArray?.compactMap(\.asString) ?? []
        case "site.restart": site.restarts = 1
        case "site.password": site.password = call.secrets["password"]?.asString
        case "site.permissions": break
        case "site.backup":
            let name = call.arguments["backup"]?.asString ?? ""
            if belongings.backups["\(node) \(name)"] == nil { belongings.backups["\(node) \(name)"] = site }
            return ["backup": .string(name), "size_bytes": 100]
        case "site.restore":
            let name = call.arguments["backup"]?.asString ?? ""
            guard let kept = belongings.backups["\(node) \(name)"] else { throw Refusal(code: .notFound) }
            guard Set(kept.databases.keys).isSubset(of: site.databases.keys) else { throw Refusal(code: .conflict) }
            site.files = kept.files
            site.databases.merge(kept.databases) { $1 }
        case "database.add":
            let name = call.arguments["database"]?.asString ?? ""
            guard call.secrets["password"]?.asString != nil else { throw Refusal(code: .invalidArgument) }
            if site.databases[name] == nil { site.databases[name] = "" }
            return ["database": .string(name)]
        case "certificate.order":
            if let refusal { throw Refusal(code: .failed, message: refusal, isRetryable: true) }
            let more = call.arguments["names"]?.asArray?.compactMap(\.asString) ?? []
            site.names = ([domain, "www.\(domain)"] + more).sorted()
            return ["domain": .string(domain), "not_after": 1_900_000_000_000]
        default: throw Refusal(code: .unsupported)
        }
        return Self.describe(site, domain)
    }

    private mutating func add(_ call: AgentCommand, _ node: String, _ domain: String) throws(Refusal) -> JSONObject {
        let (key, arguments) = ("\(node) \(domain)", call.arguments)
        let user = arguments["user"]?.asString ?? ""
        if let site = belongings.sites[key] {
            guard site.user == user, site.type == arguments["type"]?.asString else {
                throw Refusal(code: .conflict, message: "site \(domain) is there and differs")
            }
            return Self.describe(site, domain)
        }
        if let other = belongings.sites.first(where: { $0.value.node == node && $0.value.user == user }) {
            throw Refusal(code: .conflict, message: "the user \(user) has the site \(other.key)")
        }
        if belongings.accounts.contains("\(node) \(user)") {
            throw Refusal(code: .conflict, message: "the system has an account \(user) that is no site's")
        }
        let version = ["php_version", "nodejs_version", "python_version"].compactMap { arguments[$0]?.asString }.first
        let site = Belongings.Site(
            node: node, user: user, type: arguments["type"]?.asString ?? "", version: version,
            port: arguments["app_port"]?.asInteger, service: arguments["mark"]?["service"]?.asString,
            nonce: arguments["mark"]?["nonce"]?.asString ?? call.id,
            hasPassword: call.secrets["site_user_password"] != nil)
        belongings.sites[key] = site
        return Self.describe(site, domain)
    }

    private static func describe(_ site: Belongings.Site, _ domain: String) -> JSONObject {
        var json: JSONObject = [
            "domain": .string(domain), "user": .string(site.user), "type": .string(site.type),
            "root": .string("/home/\(site.user)/htdocs/\(domain)"), "suspended": .bool(site.isSuspended),
        ]
        json["version"] = site.version.map { .string($0) }
        if let service = site.service {
            var mark: JSONObject = ["service": .string(service)]
            mark["nonce"] = site.nonce.map { .string($0) }
            json["mark"] = .object(mark)
        }
        return json
    }
}
