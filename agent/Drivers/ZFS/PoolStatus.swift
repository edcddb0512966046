import Model
import WireProtocol

/// What `zpool status -v` tells of one pool, in the words of the old tools and the new.
struct PoolStatus: Sendable, Hashable {
    let name: String
    private(set) var state = "UNKNOWN"
    /// What is wrong, in the tool's own words; nil for nothing.
    private(set) var status: String?
    private(set) var action: String?
    private(set) var scan = PoolScan("")
    private(set) var devices: [PoolDevice] = []
    /// The line behind `errors:`.
    private(set) var errors = ""
    /// Files with errors that nothing can repair, as far as they were listed.
    private(set) var damaged: [String] = []

    /// Names of damaged files that are kept.
    private static let damagedLimit = 100

    var hasDataErrors: Bool { !errors.isEmpty && !errors.hasPrefix("No known data errors") }

    /// Devices that are not as they should be, or that have counted errors.
    var troubled: [PoolDevice] { devices.filter(\.isTroubled) }

    /// No part of the pool is mirrored or has parity.
    var hasRedundancy: Bool {
        devices.contains { device in ["mirror", "raidz", "draid"].contains { device.name.hasPrefix($0) } }
    }

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

    private init(name: String) { self.name = name }

    private static let fields: Set = [
        "pool", "state", "status", "action", "see", "scan", "scrub", "config", "errors", "remove", "checkpoint",
        "dedup",
    ]

    /// `  scan: none requested`; what belongs to it further down begins with a tab or with more blanks.
    private static func heading(_ line: Substring) -> (String, String)? {
        // Names of fields stand so that their colons are below each other; a file of a pool is not indented like that.
        guard let colon = line.firstIndex(of: ":"), line.distance(from: line.startIndex, to: colon) <= 12,
            line.prefix(while: { $0 == " " }).count <= 6
        else { return nil }
        let key = line[..<colon].drop { $0 == " " }
        guard fields.contains(String(key)) else { return nil }
        return (String(key), String(line[line.index(after: colon)...].drop { $0 == " " }))
    }

    private mutating func set(_ field: String, _ lines: [String]) {
        let sentence = lines.map { $0.trimmed }.filter { !$0.isEmpty }.joined(separator: " ")
        switch field {
        case "state": state = sentence
        case "status": status = sentence
        case "action": action = sentence
        case "scan", "scrub": scan = PoolScan(sentence)
        case "config": devices = PoolDevice.parse(lines)
        case "errors":
            errors = lines.first?.trimmed ?? ""
            damaged = Array(lines.dropFirst().map(\.trimmed).filter { !$0.isEmpty }.prefix(Self.damagedLimit))
        default: break
        }
    }

    var json: JSONObject {
        var object: JSONObject = ["pool": .string(name), "health": .string(state), "scan": .object(scan.json)]
        object["status"] = status.map { .string($0) }
        object["action"] = action.map { .string($0) }
        object["errors"] = .string(errors)
        object["damaged"] = .array(damaged.map { .string($0) })
        object["devices"] = .array(devices.map { .object($0.json) })
        return object
    }
}

/// One line of the tree of devices.
struct PoolDevice: Sendable, Hashable {
    let name: String
    /// Steps below the pool itself, which is 0.
    let depth: Int
    let state: String
    let reads: Int64
    let writes: Int64
    let checksums: Int64

    var isTroubled: Bool {
        !["ONLINE", "AVAIL", "INUSE", "-"].contains(state) || reads > 0 || writes > 0 || checksums > 0
    }

    /// The devices below the heading `NAME STATE READ WRITE CKSUM`; the names of groups (`logs`, `cache`) have no state.
    static func parse(_ lines: [String]) -> [PoolDevice] {
        var indentation: Int?
        return lines.compactMap { line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            let blanks = line.prefix { $0 == " " || $0 == "\t" }.count
            guard let name = words.first, name != "NAME" else { return nil }
            let base = indentation ?? blanks
            indentation = base
            let counts = words.dropFirst(2).prefix(3).map { ZFSSize.parse($0) ?? 0 }
            return PoolDevice(
                name: name, depth: max(0, blanks - base) / 2, state: words.count > 1 ? words[1] : "-",
                reads: counts.first ?? 0, writes: counts.dropFirst().first ?? 0,
                checksums: counts.dropFirst(2).first ?? 0)
        }
    }

    var json: JSONObject {
        [
            "name": .string(name), "depth": .integer(Int64(depth)), "state": .string(state),
            "read_errors": .integer(reads), "write_errors": .integer(writes), "checksum_errors": .integer(checksums),
        ]
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
