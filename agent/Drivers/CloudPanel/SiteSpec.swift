import DriverKit
import Model
import WireProtocol

/// What a site is to be.
struct SiteSpec: Sendable, Hashable {
    let domain: String
    let user: String
    let kind: Kind

    enum Kind: Sendable, Hashable {
        case fixed
        case php(version: String, template: String)
        case nodejs(version: String, port: Int64)
        case python(version: String, port: Int64)
        case proxy(url: String)
    }

    static let types = ["static", "php", "nodejs", "python", "reverse-proxy"]

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        domain = try reader.string("domain")
        user = try reader.string("user")
        switch try reader.string("type") {
        case "static": kind = .fixed
        case "php":
            kind = .php(
                version: try reader.string("php_version"),
                template: try reader.optionalString("vhost_template") ?? "Generic")
        case "nodejs":
            kind = .nodejs(version: try reader.string("nodejs_version"), port: try reader.integer("app_port"))
        case "python":
            kind = .python(version: try reader.string("python_version"), port: try reader.integer("app_port"))
        default: kind = .proxy(url: try reader.string("reverse_proxy_url"))
        }
    }

    /// The tool's command and its options, without the user's password.
    var order: (command: String, options: [(name: String, value: String)]) {
        let common = [("domainName", domain), ("siteUser", user)]
        return switch kind {
        case .fixed: ("site:add:static", common)
        case .php(let version, let template):
            ("site:add:php", common + [("phpVersion", version), ("vhostTemplate", template)])
        case .nodejs(let version, let port):
            ("site:add:nodejs", common + [("nodejsVersion", version), ("appPort", String(port))])
        case .python(let version, let port):
            ("site:add:python", common + [("pythonVersion", version), ("appPort", String(port))])
        case .proxy(let url): ("site:add:reverse-proxy", common + [("reverseProxyUrl", url)])
        }
    }

    /// What of a site that is there is not as wished; nil when all is.
    func difference(from site: PanelSite) -> String? {
        if site.user != user { return "belongs to \(site.user), not to \(user)" }
        if site.type != type { return "is of type \(site.type), not \(type)" }
        for (name, wanted, found) in settings where found(site) != wanted {
            return "has \(name) \(found(site) ?? "unknown"), not \(wanted)"
        }
        return nil
    }

    private var type: String {
        switch kind {
        case .fixed: "static"
        case .php: "php"
        case .nodejs: "nodejs"
        case .python: "python"
        case .proxy: "reverse-proxy"
        }
    }

    private var settings: [(String, String, (PanelSite) -> String?)] {
        switch kind {
        case .fixed: []
        case .php(let version, let template):
            [
                ("PHP version", version, { $0.runtime }),
                // An old panel does not remember the template.
                ("template", template, { $0.application ?? template }),
            ]
        case .nodejs(let version, let port), .python(let version, let port):
            [("version", version, { $0.runtime }), ("port", String(port), { $0.port })]
        case .proxy(let url): [("target", url, { $0.proxyURL })]
        }
    }
}
