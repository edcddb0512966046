import ControllerCore
import Model
import Placement
import WireProtocol

extension WordPressSpec {
    private static let keys: Set<String> = [
        "memory_bytes", "cores", "disk_bytes", "domains", "backups", "template", "storage", "network", "zone",
        "dns", "proxy", "zones", "addresses", "ha", "features", "snapshot", "setup", "email", "title", "placement",
        "labels", "repair",
    ]

    /// Reads and checks a specification. The error's field is a path below `under`.
    init(json: JSONObject, under path: String = "spec") throws(CoreError) {
        do {
            self = try Self.read(json)
        } catch let error as FieldError {
            let field = error.under(path)
            throw .invalid(field: field.path, problem: field.sentence)
        } catch let error as GrammarError {
            throw .invalid(field: "\(path).\(error.field)", problem: "must be \(error.expectation)")
        } catch {
            throw .invalid(field: path, problem: "\(error)")
        }
    }

    private static func read(_ json: JSONObject) throws -> WordPressSpec {
        try json.allowOnly(keys)
        let placement = try part(json, "placement", ["strategy", "labels"])
        return WordPressSpec(
            memoryBytes: try whole(json, "memory_bytes", memory, of: 1 << 20, "MiB"),
            cores: try json.integer("cores", in: coreCount),
            diskBytes: try whole(json, "disk_bytes", disk, of: 1 << 30, "GiB"),
            domains: try json.optionalInteger("domains", in: 0...1000) ?? 0,
            backups: try nested("backups") { () throws(FieldError) in
                try Backups(part(json, "backups", ["retention", "schedule", "storage"], isTop: false))
            },
            template: try template(json), storage: try storage(json, "storage"),
            network: try text(json, "network", .planName), zone: try text(json, "zone", .domainName),
            dns: try optionalText(json, "dns", .planName), proxy: try optionalText(json, "proxy", .planName),
            zones: try optionalText(json, "zones", .planName), addresses: try addresses(json, "addresses"),
            highAvailability: try word(json, "ha") ?? .auto,
            features: try nested("features") { () throws(FieldError) in
                try Features(part(json, "features", ["nesting", "keyctl", "fuse"], isTop: false))
            },
            snapshot: try SnapshotName.read(json, "snapshot") ?? "initial",
            setup: try nested("setup") { () throws(FieldError) in
                try Setup(part(json, "setup", Setup.keys, isTop: false))
            },
            email: try email(json), title: try line(json, "title", most: 200),
            strategy: try nested("placement") { () throws(FieldError) in try word(placement, "strategy") ?? .spread },
            nodeLabels: try labels(placement, "placement.labels"), labels: try labels(json, "labels"),
            repairs: try json.optionalBool("repair") ?? false)
    }

    // MARK: values

    /// Amounts that the tools take in larger units only.
    private static func whole(
        _ json: JSONObject, _ key: String, _ range: ClosedRange<Int64>, of unit: Int64, _ name: String
    ) throws(FieldError) -> Int64 {
        let amount = try json.integer(key, in: range)
        guard amount % unit == 0 else {
            throw FieldError(path: key, problem: .value(expected: "whole \(name), a multiple of \(unit)"))
        }
        return amount
    }

    private static func text(_ json: JSONObject, _ key: String, _ grammar: Grammar) throws -> String {
        let text = try json.string(key)
        try grammar.check(text, field: key)
        return text
    }

    private static func optionalText(_ json: JSONObject, _ key: String, _ grammar: Grammar) throws -> String? {
        json[key] == nil ? nil : try text(json, key, grammar)
    }

    static func line(_ json: JSONObject, _ key: String, most: Int) throws(FieldError) -> String? {
        guard let text = try json.optionalString(key) else { return nil }
        guard (1...most).contains(text.utf8.count), !text.unicodeScalars.contains(where: isControl) else {
            throw FieldError(
                path: key, problem: .value(expected: "one line of 1 to \(most) bytes without control characters"))
        }
        return text
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
    }

    private static func template(_ json: JSONObject) throws(FieldError) -> String {
        let text = try json.string("template")
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.last.map { $0.hasPrefix("vztmpl/") ? String($0.dropFirst(7)) : "" } ?? ""
        guard parts.count == 2, ProxmoxStorage.isName(String(parts[0])), (1...200).contains(name.utf8.count),
            name.utf8.allSatisfy({ ProxmoxStorage.isLetter($0) || "._+-".utf8.contains($0) })
        else { throw FieldError(path: "template", problem: .value(expected: "storage:vztmpl/file")) }
        return text
    }

    static func storage(_ json: JSONObject, _ key: String) throws(FieldError) -> String? {
        guard let text = try json.optionalString(key) else { return nil }
        guard ProxmoxStorage.isName(text) else {
            throw FieldError(path: key, problem: .value(expected: "the name of a storage of Proxmox"))
        }
        return text
    }

    private static func addresses(_ json: JSONObject, _ key: String) throws(FieldError) -> [String] {
        let texts = try json.optionalStrings(key, limit: 8) ?? []
        return try texts.enumerated().map { place, text throws(FieldError) in
            guard let address = IPAddress(text) else {
                throw FieldError(path: "\(key)[\(place)]", problem: .value(expected: "an IP address"))
            }
            return "\(address)"
        }
    }

    private static func email(_ json: JSONObject) throws(FieldError) -> String? {
        guard let text = try json.optionalString("email") else { return nil }
        guard EmailAddress.accepts(text) else {
            throw FieldError(path: "email", problem: .value(expected: EmailAddress.expectation))
        }
        return text
    }

    private static func labels(_ json: JSONObject, _ path: String) throws -> [String: String] {
        guard let object = try json.optionalObject("labels") else { return [:] }
        guard object.count <= 64 else { throw FieldError(path: path, problem: .tooMany(limit: 64)) }
        var labels: [String: String] = [:]
        for member in object.members {
            try Grammar.labelKey.check(member.key, field: "\(path).\(member.key.prefix(64))")
            guard let value = member.value.asString else {
                throw FieldError(path: "\(path).\(member.key)", problem: .type(expected: "a string"))
            }
            try Grammar.labelValue.check(value, field: "\(path).\(member.key)")
            labels[member.key] = value
        }
        return labels
    }

    // MARK: parts

    private static func part(
        _ json: JSONObject, _ key: String, _ keys: Set<String>, isTop: Bool = true
    ) throws(FieldError) -> JSONObject {
        let part = try json.optionalObject(key) ?? [:]
        do throws(FieldError) { try part.allowOnly(keys) } catch { throw isTop ? error.under(key) : error }
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

extension WordPressSpec.Backups {
    fileprivate init(_ json: JSONObject) throws(FieldError) {
        retention = try json.optionalInteger("retention", in: 0...365) ?? 0
        schedule = try WordPressSpec.word(json, "schedule") ?? .none
        storage = try WordPressSpec.storage(json, "storage")
        guard retention == 0 || storage != nil else { throw FieldError(path: "storage", problem: .missing) }
        guard retention > 0 || schedule == .none else {
            throw FieldError(path: "schedule", problem: .value(expected: "none where no backup is kept"))
        }
    }
}

extension WordPressSpec.Features {
    fileprivate init(_ json: JSONObject) throws(FieldError) {
        // systemd in an unprivileged container wants it.
        nesting = try json.optionalBool("nesting") ?? true
        keyctl = try json.optionalBool("keyctl") ?? false
        fuse = try json.optionalBool("fuse") ?? false
    }
}

extension WordPressSpec.Setup {
    static let keys: Set<String> = ["proxies", "upload_mib", "locale", "archive", "archive_sha256"]

    fileprivate init(_ json: JSONObject) throws(FieldError) {
        proxies = try json.optionalStrings("proxies", limit: 32) ?? []
        for (place, text) in proxies.enumerated() where IPAddress(text) == nil && IPPrefix(text) == nil {
            throw FieldError(path: "proxies[\(place)]", problem: .value(expected: "an IP address or a range"))
        }
        uploadMiB = try json.optionalInteger("upload_mib", in: 1...4096)
        locale = try WordPressSpec.line(json, "locale", most: 64)
        archive = try WordPressSpec.line(json, "archive", most: 1024)
        archiveSHA256 = try WordPressSpec.line(json, "archive_sha256", most: 64)
        guard (archive == nil) == (archiveSHA256 == nil) else {
            let missing = archive == nil ? "archive" : "archive_sha256"
            throw FieldError(path: missing, problem: .missing)
        }
    }
}
