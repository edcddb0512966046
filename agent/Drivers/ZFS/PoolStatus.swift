import Model
import WireProtocol

/// What `zpool status -v` tells of one pool: in the words of the old tools and the new, or as the JSON of OpenZFS 2.3 and later.
struct PoolStatus: Sendable, Hashable {
    let name: String
    private(set) var state = "UNKNOWN"
    /// What is wrong, in the tool's own words; nil for nothing.
    private(set) var status: String?
    private(set) var action: String?
    /// A scrub, and a resilver beside it, or one for each group of devices; none where none ever ran.
    private(set) var scans: [PoolScan] = []
    private(set) var devices: [PoolDevice] = []
    /// What the tool says of damaged data.
    private(set) var errors = ""
    /// Files with errors that nothing can repair, as far as they were listed.
    private(set) var damaged: [String] = []
    /// The widening of a group by a device, in a sentence.
    private(set) var expansion: String?

    /// Names of damaged files that are kept.
    private static let damagedLimit = 100

    var hasDataErrors: Bool { !errors.isEmpty && !errors.hasPrefix("No known data errors") }

    /// The one to be told first: what is under way, else what is not understood, else the last to end.
    var scan: PoolScan {
        scans.first(where: \.isUnderWay) ?? scans.first { $0.state == .unknown }
            ?? scans.max { ($0.ended ?? 0) < ($1.ended ?? 0) } ?? PoolScan("")
    }

    var scrub: PoolScan? { scans.first { $0.kind == .scrub } }
    var isResilvering: Bool { scans.contains { $0.kind == .resilver && $0.isUnderWay } }

    /// Devices that are not as they should be, or that have counted errors.
    var troubled: [PoolDevice] { devices.filter(\.isTroubled) }

    /// What holds the pool's data, or what is needed to find it, once only. Logs, caches and spares hold none.
    var unprotected: [PoolDevice] {
        devices.filter { $0.depth == 1 && ["data", "special", "dedup"].contains($0.role) && !$0.isRedundant }
    }

    private init(name: String) { self.name = name }

    var json: JSONObject {
        var object: JSONObject = ["pool": .string(name), "health": .string(state), "scan": .object(scan.json)]
        if scans.count > 1 { object["scans"] = .array(scans.map { .object($0.json) }) }
        object["status"] = status.map { .string($0) }
        object["action"] = action.map { .string($0) }
        object["expansion"] = expansion.map { .string($0) }
        object["errors"] = .string(errors)
        object["damaged"] = .array(damaged.map { .string($0) })
        object["devices"] = .array(devices.map { .object($0.json) })
        return object
    }
}

// MARK: - Words

extension PoolStatus {
    static func parse(_ text: String) -> [PoolStatus] {
        var pools: [PoolStatus] = []
        var field = ""
        var value: [String] = []
        func take() {
            if !pools.isEmpty { pools[pools.count - 1].set(field, value) }
            value = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let (key, rest) = heading(line) {
                take()
                field = key
                if key == "pool" { pools.append(PoolStatus(name: rest)) } else { value = [rest] }
            } else {
                value.append(String(line))
            }
        }
        take()
        return pools
    }

    /// `  scan: none requested`; what belongs to it further down begins with a tab or with more blanks. One that nobody here
    /// knows is a heading all the same: it ends what stands before it.
    private static func heading(_ line: Substring) -> (String, String)? {
        let key = line.drop { $0 == " " }.prefix { $0 != ":" }
        // A file of a pool stands behind eight blanks.
        guard line.prefix(while: { $0 == " " }).count <= 6, let first = key.utf8.first, key.utf8.count <= 24,
            (0x61...0x7A).contains(first),
            key.utf8.allSatisfy({ (0x61...0x7A).contains($0) || " -_".utf8.contains($0) }), key.endIndex < line.endIndex
        else { return nil }
        let rest = line[line.index(after: key.endIndex)...]
        guard rest.isEmpty || rest.first == " " else { return nil }
        return (String(key), String(rest.drop { $0 == " " }))
    }

    private mutating func set(_ field: String, _ lines: [String]) {
        let sentence = Self.sentence(lines)
        switch field {
        case "state": state = sentence
        case "status": status = sentence
        case "action": action = sentence
        case "scan", "scrub":
            let scan = PoolScan(sentence)
            if scan.state != .none { scans.append(scan) }
        case "expand": expansion = sentence
        case "config": devices = PoolDevice.parse(lines)
        case "errors":
            errors = lines.first?.trimmed ?? ""
            damaged = Array(lines.dropFirst().map(\.trimmed).filter { !$0.isEmpty }.prefix(Self.damagedLimit))
        default: break
        }
    }

    private static func sentence(_ lines: [String]) -> String {
        lines.map { $0.trimmed }.filter { !$0.isEmpty }.joined(separator: " ")
    }
}

// MARK: - JSON

extension PoolStatus {
    /// - Throws: when the text is no such JSON.
    static func parse(json text: String) throws(JSONError) -> [PoolStatus] {
        guard let pools = try JSONParser.parse(text, limits: .local)["pools"]?.asObject else {
            throw JSONError(.empty, at: 0)
        }
        return pools.members.map { PoolStatus($0.key, $0.value) }
    }

    private init(_ key: String, _ json: JSONValue) {
        name = json["name"]?.asString ?? key
        state = json["state"]?.asString ?? "UNKNOWN"
        func words(_ key: String) -> String? {
            let text = Self.sentence((json[key]?.asString ?? "").split(separator: "\n").map(String.init))
            return text.isEmpty || text == "OK" ? nil : text
        }
        status = words("status")
        action = words("action")
        scans = PoolScan.all(json: json["scan_stats"]).filter { $0.state != .none }
        expansion = json["raidz_expand_stats"].flatMap(Self.expansion)
        devices = PoolDevice.all(json: json, state: state)
        if let count = ZFSSize.figure(json["error_count"]) {
            errors = count == 0 ? "No known data errors" : "\(count) data errors"
        }
        damaged = Array((json["errlist"]?.asArray ?? []).compactMap(\.asString).prefix(Self.damagedLimit))
    }

    private static func expansion(_ json: JSONValue) -> String? {
        guard let name = json["name"]?.asString, let state = json["state"]?.asString, state != "NONE" else {
            return nil
        }
        let (done, total) = (ZFSSize.figure(json["reflowed"]) ?? 0, ZFSSize.figure(json["to_reflow"]) ?? 0)
        let share = total > 0 ? ", \(Int64(min(100, 100 * Double(done) / Double(total)))) % done" : ""
        return state == "FINISHED" ? "expansion of \(name) finished" : "expansion of \(name) in progress\(share)"
    }
}

extension StringProtocol {
    /// Without blanks and tabs at either end.
    var trimmed: String {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
