import ControllerCore
import Model
import Placement
import WireProtocol

extension CloudSiteSpec {
    /// Reads the fields of a plan, or what was stored.
    /// - Throws: an error whose field is a path below `path`.
    init(json: JSONObject, under path: String = "spec") throws(CoreError) {
        do throws(FieldError) { self = try Self.read(json) } catch {
            throw .invalid(field: error.under(path).path, problem: error.sentence)
        }
    }

    private static let keys: Set<String> = [
        "type", "php_version", "template", "nodejs_version", "python_version", "app_port", "proxy_url", "databases",
        "domains", "certificate", "analytics", "adopt", "backups", "addresses", "placement", "labels", "domain",
        "user",
    ]
    static let quota: ClosedRange<Int64> = 0...1000
    static let ports: ClosedRange<Int64> = 1024...65_535

    private static func read(_ json: JSONObject) throws(FieldError) -> CloudSiteSpec {
        try json.allowOnly(keys)
        let backups = try part(json, "backups", ["retention", "schedule"])
        let placement = try part(json, "placement", ["strategy", "labels"])
        return CloudSiteSpec(
            sort: try sort(json), databases: try json.optionalInteger("databases", in: quota) ?? 0,
            domains: try json.optionalInteger("domains", in: quota) ?? 0,
            wantsCertificate: try json.optionalBool("certificate") ?? true,
            analytics: try text(json, "analytics", .planName), adoption: try word(json, "adopt") ?? .none,
            backups: try nested("backups") { () throws(FieldError) in try Backups(backups) },
            addresses: try addresses(json),
            strategy: try nested("placement") { () throws(FieldError) in try word(placement, "strategy") ?? .spread },
            nodeLabels: try labels(placement, "placement.labels"), labels: try labels(json, "labels"),
            domain: try domain(json), user: try text(json, "user", .siteUser))
    }

    // MARK: what answers

    private static func sort(_ json: JSONObject) throws(FieldError) -> Sort {
        let name = try json.optionalString("type") ?? "static"
        let sort: Sort
        switch name {
        case "static": sort = .fixed
        case "php": sort = .php(version: try version(json, "php_version", 2), template: try template(json))
        case "nodejs": sort = .nodejs(version: try version(json, "nodejs_version", 1), port: try port(json))
        case "python": sort = .python(version: try version(json, "python_version", 2), port: try port(json))
        case "reverse_proxy": sort = .proxy(url: try proxyURL(json))
        default:
            throw FieldError(
                path: "type", problem: .value(expected: "one of \(Sort.words.joined(separator: ", "))"))
        }
        // What a plan says in vain is believed by whoever reads it.
        for key in ["php_version", "template", "nodejs_version", "python_version", "app_port", "proxy_url"]
        where json[key] != nil && sort.fields[key] == nil {
            throw FieldError(path: key, problem: .value(expected: "absent for a site of type \(name)"))
        }
        return sort
    }

    private static func version(_ json: JSONObject, _ key: String, _ parts: Int) throws(FieldError) -> String {
        let text = try json.string(key)
        let pieces = text.split(separator: ".", omittingEmptySubsequences: false)
        guard pieces.count == parts,
            pieces.allSatisfy({ (1...2).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else {
            throw FieldError(path: key, problem: .value(expected: "a version such as \(parts == 1 ? "22" : "8.3")"))
        }
        return text
    }

    static let templateExpectation = "1 to 64 letters, digits, spaces, dots, dashes and underscores"

    private static func template(_ json: JSONObject) throws(FieldError) -> String? {
        guard let text = try json.optionalString("template") else { return nil }
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || " ._-".utf8.contains($0)
        }
        guard (1...64).contains(text.utf8.count), isPlain, let first = text.first, let last = text.last,
            first != " ", first != "-", first != ".", last != " "
        else { throw FieldError(path: "template", problem: .value(expected: templateExpectation)) }
        return text
    }

    private static func port(_ json: JSONObject) throws(FieldError) -> Int64? {
        try json.optionalInteger("app_port", in: ports)
    }

    /// It is pasted into nginx's configuration: a scheme, a host and a port, nothing else.
    private static func proxyURL(_ json: JSONObject) throws(FieldError) -> String {
        let text = try json.string("proxy_url")
        let scheme = ["http://", "https://"].first { text.hasPrefix($0) }
        guard let scheme, Grammar.hostPort.accepts(String(text.dropFirst(scheme.count))) else {
            throw FieldError(
                path: "proxy_url", problem: .value(expected: "http:// or https://, a host, a colon and a port"))
        }
        return text
    }

    // MARK: values

    /// In lower case, as punycode.
    private static func domain(_ json: JSONObject) throws(FieldError) -> String? {
        guard let text = try json.optionalString("domain") else { return nil }
        guard let name = DomainText.ascii(text), Grammar.domainName.accepts(name), name.utf8.count <= 240 else {
            throw FieldError(path: "domain", problem: .value(expected: "a domain, such as example.org"))
        }
        return name
    }

    private static func text(_ json: JSONObject, _ key: String, _ grammar: Grammar) throws(FieldError) -> String? {
        guard let text = try json.optionalString(key) else { return nil }
        guard grammar.accepts(text) else {
            throw FieldError(path: key, problem: .value(expected: grammar.expectation))
        }
        return text
    }

    private static func addresses(_ json: JSONObject) throws(FieldError) -> [String] {
        let texts = try json.optionalStrings("addresses", limit: 8) ?? []
        return try texts.enumerated().map { place, text throws(FieldError) in
            guard let address = IPAddress(text) else {
                throw FieldError(path: "addresses[\(place)]", problem: .value(expected: "an IP address"))
            }
            return "\(address)"
        }
    }

    private static func labels(_ json: JSONObject, _ path: String) throws(FieldError) -> [String: String] {
        guard let object = try json.optionalObject("labels") else { return [:] }
        guard object.count <= 64 else { throw FieldError(path: path, problem: .tooMany(limit: 64)) }
        var labels: [String: String] = [:]
        for member in object.members {
            let place = "\(path).\(member.key.prefix(64))"
            guard let value = member.value.asString else {
                throw FieldError(path: place, problem: .type(expected: "a string"))
            }
            guard Grammar.labelKey.accepts(member.key), Grammar.labelValue.accepts(value) else {
                throw FieldError(path: place, problem: .value(expected: "a label"))
            }
            labels[member.key] = value
        }
        return labels
    }

    // MARK: parts

    private static func part(
        _ json: JSONObject, _ key: String, _ keys: Set<String>
    ) throws(FieldError) -> JSONObject {
        let part = try json.optionalObject(key) ?? [:]
        do throws(FieldError) { try part.allowOnly(keys) } catch { throw error.under(key) }
        return part
    }

    private static func nested<Value>(
        _ key: String, _ body: () throws(FieldError) -> Value
    ) throws(FieldError) -> Value {
        do throws(FieldError) { return try body() } catch { throw error.under(key) }
    }

    static func word<Word: RawRepresentable & CaseIterable>(
        _ json: JSONObject, _ key: String
    ) throws(FieldError) -> Word? where Word.RawValue == String {
        guard let text = try json.optionalString(key) else { return nil }
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw FieldError(path: key, problem: .value(expected: "one of \(known)"))
        }
        return word
    }
}

extension CloudSiteSpec.Backups {
    fileprivate init(_ json: JSONObject) throws(FieldError) {
        retention = try json.optionalInteger("retention", in: 0...365) ?? 0
        schedule = try CloudSiteSpec.word(json, "schedule") ?? .none
        guard retention > 0 || schedule == .none else {
            throw FieldError(path: "schedule", problem: .value(expected: "none where no backup is kept"))
        }
    }
}
