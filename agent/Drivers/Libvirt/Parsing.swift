import DriverKit
import Model
import WireProtocol

/// The identity of a virtual machine: the only way in which `virsh` is told of one.
struct MachineID: Sendable, Hashable {
    let text: String

    /// `8c3f…-…`: five groups of hexadecimal digits.
    init?(_ text: some StringProtocol) {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        let isRight =
            groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20) || byte == 0x2D
            }
        guard isRight else { return nil }
        self.text = text.lowercased()
    }
}

/// One virtual machine of the node.
struct Machine: Sendable, Hashable {
    let id: MachineID
    let name: String
    var state = MachineState(state: 0, reason: 0)

    var json: JSONObject {
        [
            "vm": .string(name), "uuid": .string(id.text), "state": .string(state.word),
            "reason": .string(state.reasonWord),
        ]
    }

    /// What `virsh list --uuid --name` prints: identity and name side by side, the name padded by versions before 7.
    static func parse(_ text: String) -> [Machine] {
        text.textLines.compactMap { line in
            guard line.utf8.count > 37, let id = MachineID(String(decoding: line.utf8.prefix(36), as: UTF8.self)) else {
                return nil
            }
            let rest = Substring(line.unicodeScalars.dropFirst(36)).drop { $0 == " " }
            guard let last = rest.lastIndex(where: { $0 != " " }) else { return nil }
            return Machine(id: id, name: String(rest[...last]))
        }
    }
}

/// A state and why, by libvirt's numbers: its words depend on the version.
struct MachineState: Sendable, Hashable {
    let state: Int
    let reason: Int

    var word: String { Self.words.indices.contains(state) ? Self.words[state] : "unknown" }
    var reasonWord: String {
        guard Self.reasons.indices.contains(state), Self.reasons[state].indices.contains(reason) else {
            return "unknown"
        }
        return Self.reasons[state][reason]
    }

    private static let words = [
        "unknown", "running", "blocked", "paused", "shutting down", "shut off", "crashed", "suspended",
    ]
    private static let reasons: [[String]] = [
        ["unknown"],
        [
            "unknown", "booted", "migrated", "restored", "from snapshot", "unpaused", "migration canceled",
            "save canceled", "event wakeup", "crashed", "post-copy", "post-copy failed",
        ],
        ["unknown"],
        [
            "unknown", "user", "migration", "save", "dump", "ioerror", "watchdog", "from snapshot", "shutdown",
            "snapshot", "panicked", "starting up", "post-copy", "post-copy failed", "api error",
        ],
        ["unknown", "user"],
        [
            "unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from snapshot", "daemon",
        ],
        ["unknown", "panicked"],
        ["unknown"],
    ]

    /// What `virsh domstats --state` prints, by name: a line `Domain: 'NAME'`, then one for each figure.
    static func parse(_ text: String) -> [String: MachineState] {
        var found: [String: MachineState] = [:]
        var name: String?
        var figures: [Substring: Int] = [:]
        func close() {
            if let name, let state = figures["state.state"] {
                found[name] = MachineState(state: state, reason: figures["state.reason"] ?? 0)
            }
            figures = [:]
        }
        for line in text.textLines {
            if line.hasPrefix("Domain: '"), line.hasSuffix("'"), line.count > 10 {
                close()
                name = String(line.dropFirst(9).dropLast())
            } else {
                let parts = line.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if parts.count == 2, let figure = Int(parts[1]) { figures[parts[0]] = figure }
            }
        }
        close()
        return found
    }
}

/// What `virsh dominfo` says of one machine: lines of a name, a colon and a value.
struct MachineDetails: Sendable, Hashable {
    private let fields: [String: String]

    init(_ text: String) {
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[String(parts[0])] = String(parts[1].drop { $0 == " " })
        }
        self.fields = fields
    }

    var json: JSONObject {
        var object = JSONObject()
        object["cpus"] = fields["CPU(s)"].flatMap { Int64($0) }.map { .integer($0) }
        object["memory_bytes"] = bytes("Max memory").map { .integer($0) }
        object["used_memory_bytes"] = bytes("Used memory").map { .integer($0) }
        object["autostart"] = fields["Autostart"].map { .bool($0 == "enable") }
        object["persistent"] = fields["Persistent"].map { .bool($0 == "yes") }
        return object
    }

    /// `2097152 KiB`.
    private func bytes(_ key: String) -> Int64? {
        guard let number = fields[key]?.split(separator: " ").first.flatMap({ Int64($0) }), number >= 0 else {
            return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1024)
        return overflow ? nil : product
    }
}
