import DriverKit

/// A container's configuration file: `key: value` lines, then sections for changes that wait for a start and for snapshots.
struct GuestConfig: Sendable, Hashable {
    struct Snapshot: Sendable, Hashable {
        let name: String
        var values: [String: String] = [:]
        var raw: [RawLine] = []
        var description = ""
    }

    private(set) var values: [String: String] = [:]
    private(set) var description = ""
    /// What takes effect at the next start; `delete` lists what goes then.
    private(set) var pending: [String: String] = [:]
    private(set) var snapshots: [Snapshot] = []
    /// What is handed to LXC as it stands: `lxc.mount.entry`, and so on, in its order.
    private(set) var raw: [RawLine] = []

    struct RawLine: Sendable, Hashable {
        let key: String
        let value: String
    }

    /// Where a line belongs.
    private enum Place: Equatable { case present, pending, snapshot, unknown }

    init(_ text: String) {
        var place = Place.present
        for line in text.configurationLines {
            if line.first == "[", line.last == "]" {
                place = begin(line.dropFirst().dropLast())
            } else if line.first == "#" {
                note(PercentText.decode(line.dropFirst()) + "\n", in: place)
            } else if line.hasPrefix("lxc."), let end = line.firstIndex(where: { $0 == ":" || $0 == "=" }) {
                let value = line[line.index(after: end)...].trimmed
                add(RawLine(key: line[..<end].trimmed, value: value), in: place)
            } else if let colon = line.firstIndex(of: ":") {
                set(String(line[..<colon]), line[line.index(after: colon)...].trimmed, in: place)
            }
        }
    }

    /// A section that means nothing to this driver holds nothing of the container as it is.
    private mutating func begin(_ section: Substring) -> Place {
        if section.lowercased() == "pve:pending" { return .pending }
        guard section.first?.isLetter == true, section.utf8.allSatisfy(Self.isName) else { return .unknown }
        snapshots.append(Snapshot(name: String(section)))
        return .snapshot
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
    }

    private mutating func note(_ text: String, in place: Place) {
        switch place {
        case .present: description += text
        case .snapshot: snapshots[snapshots.count - 1].description += text
        case .pending, .unknown: break
        }
    }

    private mutating func add(_ line: RawLine, in place: Place) {
        switch place {
        case .present: raw.append(line)
        case .snapshot: snapshots[snapshots.count - 1].raw.append(line)
        case .pending, .unknown: break
        }
    }

    /// The container as it was when the snapshot was taken; nil without such a one.
    func asOf(snapshot name: String) -> GuestConfig? {
        guard let snapshot = snapshot(name) else { return nil }
        var then = self
        (then.values, then.raw) = (snapshot.values, snapshot.raw)
        return then
    }

    private mutating func set(_ key: String, _ text: String, in place: Place) {
        if key == "description" { return note(PercentText.decode(text) + "\n", in: place) }
        guard !text.isEmpty else { return }
        let value = Self.flags.contains(key) ? BooleanText.plain(text) : text
        switch place {
        case .present: values[key] = value
        case .pending: pending[key] = value
        case .snapshot: snapshots[snapshots.count - 1].values[key] = value
        case .unknown: break
        }
    }

    /// Keys that are on or off.
    private static let flags: Set<String> = ["onboot", "protection", "unprivileged", "template", "console", "debug"]

    subscript(key: String) -> String? { values[key] }

    var lock: String? { values["lock"] }
    var isTemplate: Bool { values["template"] == "1" }
    var tags: [String] { (values["tags"] ?? "").split(whereSeparator: { ";, ".contains($0) }).map(String.init) }

    /// Keys like `net0` in the order of their numbers, with their properties.
    func numbered(_ prefix: String) -> [(key: String, properties: PropertyText)] {
        values.compactMap { key, value -> (number: Int, value: String)? in
            // `net01` is another key than `net1`, and means nothing.
            guard let number = Int(key.dropFirst(prefix.count)), key == "\(prefix)\(number)" else { return nil }
            return (number, value)
        }
        .sorted { $0.number < $1.number }.map { ("\(prefix)\($0.number)", PropertyText($0.value)) }
    }
}

/// `first,key=value,…`: how a container's networks and volumes are written.
struct PropertyText: Sendable, Hashable {
    /// The part without a key, such as a volume.
    private(set) var first: String?
    private(set) var values: [String: String] = [:]

    /// Properties that are on or off.
    private static let flags: Set<String> = [
        "firewall", "link_down", "host-managed", "acl", "ro", "quota", "replicate", "shared", "backup", "deny-write",
        "nesting", "keyctl", "fuse", "mknod", "force_rw_sys",
    ]

    init(_ text: String) {
        for part in text.split(separator: ",") {
            guard let sign = part.firstIndex(of: "=") else {
                first = String(part)
                continue
            }
            let (key, value) = (String(part[..<sign]), String(part[part.index(after: sign)...]))
            values[key] = Self.flags.contains(key) ? BooleanText.plain(value) : value
        }
        if first == nil { first = values["volume"] }
    }

    subscript(key: String) -> String? { values[key] }
}

/// How people write what is on or off.
enum BooleanText {
    static func isTrue(_ text: String) -> Bool { ["1", "on", "yes", "true"].contains(text.lowercased()) }

    /// `1` or `0` where it is one of the two, else as it is.
    static func plain(_ text: String) -> String {
        if isTrue(text) { return "1" }
        return ["off", "no", "false"].contains(text.lowercased()) ? "0" : text
    }
}

/// `8G`, `2064M`: the sizes of volumes.
enum SizeText {
    /// Bytes; nil for what is no size.
    static func bytes(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard let number = Double(digits), number >= 0, case let size = number * Double(unit ?? 1), size < 9e18 else {
            return nil
        }
        return Int64(size)
    }
}

/// `%C3%A4`: how descriptions are written.
enum PercentText {
    static func decode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A line of `pvesm status`.
struct Storage: Sendable, Hashable {
    let name: String
    let kind: String
    let isActive: Bool
    let totalBytes: Int64
    let availableBytes: Int64
    /// Whether it is switched off, so that nobody looks for anything on it.
    var isDisabled = false

    /// The labels of the columns differ between versions: they are counted from the right.
    static func parse(_ text: String) -> [Storage] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 7, let total = bytes(words[words.count - 4]),
                let available = bytes(words[words.count - 2])
            else { return nil }
            return Storage(
                name: String(words[0]), kind: String(words[1]), isActive: words[2] == "active", totalBytes: total,
                availableBytes: available, isDisabled: words[2] == "disabled")
        }
    }

    /// Nil for what no storage can have: such a line is none.
    private static func bytes(_ kibibytes: Substring) -> Int64? {
        guard let number = Int64(kibibytes), (0...Int64.max / 1024).contains(number) else { return nil }
        return number * 1024
    }
}

/// A line of `pvesm list`.
struct Volume: Sendable, Hashable {
    let id: String
    let format: String
    let content: String
    /// Nil where the storage does not know.
    let sizeBytes: Int64?
    let vmid: Int?

    static func parse(_ text: String) -> [Volume] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 4, words[0].contains(":") else { return nil }
            return Volume(
                id: String(words[0]), format: String(words[1]), content: String(words[2]),
                sizeBytes: Int64(words[3]).flatMap { $0 >= 0 ? $0 : nil },
                vmid: words.count > 4 ? Int(words[4]).flatMap { $0 > 0 ? $0 : nil } : nil)
        }
    }
}

extension String {
    /// Lines of the cluster's files, without the blanks and carriage returns at their ends, which mean nothing.
    var configurationLines: [Substring] {
        textLines.map { line in
            var scalars = line.unicodeScalars
            while let last = scalars.last, " \t\r".unicodeScalars.contains(last) { scalars.removeLast() }
            return Substring(scalars)
        }
    }
}

extension Substring {
    /// Without blanks at both ends.
    var trimmed: String {
        var rest = unicodeScalars[...]
        while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
