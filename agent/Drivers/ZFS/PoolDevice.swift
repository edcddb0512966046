import WireProtocol

/// One device of a pool, or a group of them.
struct PoolDevice: Sendable, Hashable {
    let name: String
    /// Steps below the pool itself, which is 0.
    let depth: Int
    let state: String
    /// `data`, `special`, `dedup`, `logs`, `cache`, `spares`; another word where the tool has one that is new.
    let role: String
    /// `mirror`, `raidz`, `draid`, `replacing`, `spare`; nil for a single one.
    var group: String?
    /// Nil where the tool does not count them, as for spares.
    let reads: Int64?
    let writes: Int64?
    let checksums: Int64?
    /// `was /dev/sdc1`, `too many errors`, `resilvering`.
    var note: String?

    var isTroubled: Bool {
        !["ONLINE", "AVAIL", "INUSE"].contains(state) || [reads, writes, checksums].contains { $0 ?? 0 > 0 }
    }

    var isRedundant: Bool { ["mirror", "raidz", "draid"].contains(group) }

    var json: JSONObject {
        var object: JSONObject = [
            "name": .string(name), "depth": .integer(Int64(depth)), "state": .string(state), "role": .string(role),
        ]
        object["group"] = group.map { .string($0) }
        object["read_errors"] = reads.map { .integer($0) }
        object["write_errors"] = writes.map { .integer($0) }
        object["checksum_errors"] = checksums.map { .integer($0) }
        object["note"] = note.map { .string($0) }
        return object
    }
}

// MARK: - Words

extension PoolDevice {
    /// The tree below the heading `NAME STATE READ WRITE CKSUM`. A name may hold blanks: it ends where the states begin.
    static func parse(_ lines: [String]) -> [PoolDevice] {
        var column: Int?
        var indentation: Int?
        var role = "data"
        var devices: [PoolDevice] = []
        for line in lines {
            let bytes = Array(line.utf8)
            let blanks = bytes.prefix { $0 == 0x20 || $0 == 0x09 }.count
            guard blanks < bytes.count else { continue }
            if column == nil, let states = Self.column(of: " STATE", in: bytes) {
                column = states
                continue
            }
            let base = indentation ?? blanks
            indentation = base
            let (name, words) = split(bytes, at: column ?? 0)
            if words.isEmpty, !devices.isEmpty, blanks <= base {
                role = name
                continue
            }
            devices.append(PoolDevice(name, max(0, blanks - base) / 2, role, words))
        }
        return grouped(devices)
    }

    private init(_ name: String, _ depth: Int, _ role: String, _ words: [String]) {
        // A spare has no counts; behind them, or instead, stand notes.
        let counts = words.dropFirst().prefix(3).map { ZFSSize.parse($0) }
        let isCounted = counts.count == 3 && counts.allSatisfy { $0 != nil }
        (self.name, self.depth, self.role) = (name, depth, role)
        state = words.first ?? "UNKNOWN"
        reads = isCounted ? counts[0] : nil
        writes = isCounted ? counts[1] : nil
        checksums = isCounted ? counts[2] : nil
        let rest = words.dropFirst(isCounted ? 4 : 1).joined(separator: " ")
        note = rest.isEmpty ? nil : rest
    }

    /// Where a word begins, less the blank before it.
    private static func column(of word: String, in line: [UInt8]) -> Int? {
        let word = Array(word.utf8)
        guard line.count >= word.count, line.drop(while: { $0 == 0x20 || $0 == 0x09 }).starts(with: "NAME".utf8) else {
            return nil
        }
        return (0...line.count - word.count).first { line[$0...].starts(with: word) }.map { $0 + 1 }
    }

    /// The name and the words behind it. Where the columns are not what the heading says, the name is one word.
    private static func split(_ line: [UInt8], at column: Int) -> (String, [String]) {
        func words(_ bytes: ArraySlice<UInt8>) -> [String] {
            bytes.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 }).map { String(decoding: $0, as: UTF8.self) }
        }
        if column > 1, line.count > column, line[column - 1] == 0x20, line[column - 2] == 0x20, line[column] != 0x20 {
            return (String(decoding: line[..<column], as: UTF8.self).trimmed, words(line[column...]))
        }
        let all = words(line[...])
        return (all.first ?? "", Array(all.dropFirst()))
    }

    /// A group is what has others below it: a disk may be called `mirror-1`.
    private static func grouped(_ devices: [PoolDevice]) -> [PoolDevice] {
        devices.indices.map { place in
            var device = devices[place]
            let hasOthers = place + 1 < devices.count && devices[place + 1].depth > device.depth && device.depth > 0
            device.group = hasOthers ? groups.first { device.name.hasPrefix($0) } : nil
            return device
        }
    }

    private static let groups = ["mirror", "raidz", "draid", "replacing", "spare"]
}

// MARK: - JSON

extension PoolDevice {
    /// The devices of a pool's JSON, in the order of the tree that is made for people.
    static func all(json: JSONValue, state: String) -> [PoolDevice] {
        let roles = [
            ("vdevs", "data"), ("dedup", "dedup"), ("special", "special"), ("logs", "logs"), ("l2cache", "cache"),
            ("spares", "spares"),
        ]
        return roles.flatMap { key, role in
            tree(json[key], depth: key == "vdevs" ? 0 : 1, role, unknown: key == "vdevs" ? state : "UNKNOWN")
        }
    }

    /// Deeper than any pool is built.
    private static let deepest = 16

    private static func tree(_ json: JSONValue?, depth: Int, _ role: String, unknown: String) -> [PoolDevice] {
        guard depth < deepest else { return [] }
        return (json?.asObject?.members ?? []).flatMap { member in
            [PoolDevice(member.key, member.value, depth, role, unknown: unknown)]
                + tree(member.value["vdevs"], depth: depth + 1, role, unknown: "UNKNOWN")
        }
    }

    private init(_ key: String, _ json: JSONValue, _ depth: Int, _ role: String, unknown: String) {
        let aux = json["aux"]?.asString
        name = json["name"]?.asString ?? key
        (self.depth, self.role) = (depth, role)
        state = Self.state(json["state"]?.asString ?? unknown, aux)
        group = depth > 0 ? json["vdev_type"]?.asString.flatMap { Self.groups.contains($0) ? $0 : nil } : nil
        reads = ZFSSize.figure(json["read_errors"])
        writes = ZFSSize.figure(json["write_errors"])
        checksums = ZFSSize.figure(json["checksum_errors"])
        note = json["was"]?.asString.map { "was \($0)" } ?? aux.map { $0.lowercased().replacing("_", with: " ") }
    }

    /// In the words that are made for people.
    private static func state(_ word: String, _ aux: String?) -> String {
        switch word {
        case "HEALTHY": "ONLINE"
        case "CLOSED": "OFFLINE"
        case "CANT_OPEN" where aux == "CORRUPT_DATA" || aux == "BAD_LOG": "FAULTED"
        case "CANT_OPEN" where aux == "SPLIT_POOL": "SPLIT"
        case "CANT_OPEN": "UNAVAIL"
        default: word
        }
    }
}
