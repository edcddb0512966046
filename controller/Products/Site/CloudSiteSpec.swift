import ControllerCore
import Placement
import WireProtocol

/// What a plan promises: a site of a sort, its quotas and its backups; and what an order says of the single one.
struct CloudSiteSpec: Sendable, Hashable {
    /// What answers for the site.
    enum Sort: Sendable, Hashable {
        case fixed
        case php(version: String, template: String?)
        /// Without a port one is chosen on the node.
        case nodejs(version: String, port: Int64?)
        case python(version: String, port: Int64?)
        case proxy(url: String)
    }

    /// What becomes of a site that is on the server already and that we did not make.
    enum Adoption: String, Sendable, Hashable, CaseIterable {
        /// It stands in the way.
        case none
        /// It is taken into care where its account is the one that the order means.
        case sameUser = "same_user"
    }

    /// How backups are made and kept.
    struct Backups: Sendable, Hashable {
        enum Schedule: String, Sendable, Hashable, CaseIterable { case none, daily, weekly }

        /// How many are kept; none are made where it is 0.
        var retention: Int64
        var schedule: Schedule
    }

    var sort: Sort
    /// Databases that the site may have, and domains of the customer's own beside its own.
    var databases: Int64
    var domains: Int64
    var wantsCertificate: Bool
    /// The integration that counts visits; nil counts none.
    var analytics: String?
    var adoption: Adoption
    var backups: Backups
    /// Under which the world reaches the server; those that its node's label `address` says where it is empty.
    var addresses: [String]
    var strategy: PlacementStrategy
    /// Labels that the node must carry.
    var nodeLabels: [String: String]
    /// The service's own labels, for people and billing systems.
    var labels: [String: String]
    /// What the order says.
    var domain: String?
    var user: String?

    /// A site takes what its visitors take: a server holds as many as its operator thinks fit.
    var demand: Demand {
        Demand(resources: .none, drivers: ["cloudpanel"], labels: nodeLabels, storage: .none, strategy: strategy)
    }
}

extension CloudSiteSpec.Sort {
    /// In a plan; the panel's driver has a dash in the last.
    var word: String {
        switch self {
        case .fixed: "static"
        case .php: "php"
        case .nodejs: "nodejs"
        case .python: "python"
        case .proxy: "reverse_proxy"
        }
    }

    static let words = ["static", "php", "nodejs", "python", "reverse_proxy"]

    /// As the panel's driver takes it.
    var actionWord: String { word == "reverse_proxy" ? "reverse-proxy" : word }

    /// Whether a program of the customer's listens on a port of its own.
    var listens: Bool {
        switch self {
        case .nodejs, .python: true
        case .fixed, .php, .proxy: false
        }
    }

    /// That the operator has fixed.
    var port: Int64? {
        switch self {
        case .nodejs(_, let port), .python(_, let port): port
        case .fixed, .php, .proxy: nil
        }
    }

    /// With the names of the specification.
    var fields: JSONObject {
        var json: JSONObject = ["type": .string(word)]
        switch self {
        case .fixed: break
        case .php(let version, let template):
            json["php_version"] = .string(version)
            json["template"] = template.map { .string($0) }
        case .nodejs(let version, _): json["nodejs_version"] = .string(version)
        case .python(let version, _): json["python_version"] = .string(version)
        case .proxy(let url): json["proxy_url"] = .string(url)
        }
        json["app_port"] = port.map { .integer($0) }
        return json
    }

    /// With the names of the driver's arguments.
    func arguments(port: Int64?) -> JSONObject {
        var json: JSONObject = ["type": .string(actionWord)]
        switch self {
        case .fixed: break
        case .php(let version, let template):
            json["php_version"] = .string(version)
            json["vhost_template"] = template.map { .string($0) }
        case .nodejs(let version, _): json["nodejs_version"] = .string(version)
        case .python(let version, _): json["python_version"] = .string(version)
        case .proxy(let url): json["reverse_proxy_url"] = .string(url)
        }
        if listens { json["app_port"] = port.map { .integer($0) } }
        return json
    }
}

extension CloudSiteSpec {
    var json: JSONObject {
        var json = sort.fields.merged(with: [
            "databases": .integer(databases), "domains": .integer(domains), "certificate": .bool(wantsCertificate),
            "adopt": .string(adoption.rawValue), "backups": .object(backups.json),
            "placement": ["strategy": .string(strategy.rawValue), "labels": .strings(nodeLabels)],
        ])
        json["analytics"] = analytics.map { .string($0) }
        if !addresses.isEmpty { json["addresses"] = .array(addresses.map { .string($0) }) }
        if !labels.isEmpty { json["labels"] = .strings(labels) }
        json["domain"] = domain.map { .string($0) }
        json["user"] = user.map { .string($0) }
        return json
    }

    /// Of a service that is only removed.
    static let none = CloudSiteSpec(
        sort: .fixed, databases: 0, domains: 0, wantsCertificate: false, analytics: nil, adoption: .none,
        backups: Backups(retention: 0, schedule: .none), addresses: [], strategy: .spread, nodeLabels: [:],
        labels: [:], domain: nil, user: nil)
}

extension CloudSiteSpec.Backups {
    var json: JSONObject {
        ["retention": .integer(retention), "schedule": .string(schedule.rawValue)]
    }
}
