import DriverKit
import Model
import WireProtocol

/// What a site is to be.
struct SiteWish: Sendable, Hashable {
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
        domain = try reader.name("domain", .domainName)
        user = try reader.name("user", .accountName)
        switch try reader.string("type") {
        case "static": kind = .fixed
        case "php":
            kind = .php(
                version: try reader.version("php_version", parts: 2...2),
                template: try reader.templateName("vhost_template") ?? "Generic")
        case "nodejs":
            kind = .nodejs(version: try reader.version("nodejs_version", parts: 1...1), port: try reader.port())
        case "python":
            kind = .python(version: try reader.version("python_version", parts: 2...2), port: try reader.port())
        case "reverse-proxy": kind = .proxy(url: try reader.proxyURL())
        default:
            throw .invalidArgument("type", "must be one of \(Self.types.joined(separator: ", "))")
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

extension ArgumentReader {
    /// `8.3`, `22`: numbers with dots between.
    fileprivate mutating func version(_ key: String, parts: ClosedRange<Int>) throws(DriverError) -> String {
        let text = try string(key)
        let pieces = text.split(separator: ".", omittingEmptySubsequences: false)
        let isVersion =
            parts.contains(pieces.count)
            && pieces.allSatisfy {
                (1...2).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }
        guard isVersion else {
            throw .invalidArgument(key, "must be a version such as \(parts.lowerBound == 1 ? "22" : "8.3")")
        }
        return text
    }

    /// A tenant's program cannot listen below 1024.
    fileprivate mutating func port() throws(DriverError) -> Int64 { try integer("app_port", in: 1024...65_535) }

    /// The address is pasted into nginx's configuration: a scheme, a host and a port, nothing else.
    fileprivate mutating func proxyURL() throws(DriverError) -> String {
        let text = try string("reverse_proxy_url")
        let scheme = ["http://", "https://"].first { text.hasPrefix($0) }
        guard let scheme, Grammar.hostPort.accepts(String(text.dropFirst(scheme.count))) else {
            throw .invalidArgument("reverse_proxy_url", "must be http:// or https://, a host, a colon and a port")
        }
        return text
    }

    /// `WordPress`, `Laravel 11`: the names that the panel's own templates have.
    mutating func templateName(_ key: String) throws(DriverError) -> String? {
        guard let text = try optionalString(key) else { return nil }
        let isName =
            (1...64).contains(text.utf8.count) && text.trimmed == text
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || " ._-".utf8.contains($0)
            } && !text.hasPrefix("-") && !text.hasPrefix(".")
        guard isName else {
            throw .invalidArgument(key, "must be 1 to 64 letters, digits, spaces, dots, dashes and underscores")
        }
        return text
    }
}
