import DriverKit
import Glibc
import Model
import Processes
import WireProtocol

/// What the machine runs, what could be newer, and whether it wants to be started again. Nothing is changed.
extension HostDriver {
    /// The updates that apt knows of, from the lists that it has: they are not fetched again.
    func listUpdates(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        // A simulation without locks, and without writing the caches that even a simulation writes otherwise.
        let outcome = try await tools.run(
            "apt-get",
            [
                "--simulate", "-o", "Debug::NoLocking=true", "-o", "Dir::Cache::pkgcache=", "-o",
                "Dir::Cache::srcpkgcache=",
                "dist-upgrade",
            ], deadline: .seconds(120))
        guard outcome.exit == .code(0) else {
            throw DriverError(.failed, "apt cannot say what is pending", cause: HostTools.lastWords(outcome))
        }
        let updates = PackageUpdate.parse(outcome.outputText)
        let refreshed = listsRefreshed()
        return ActionOutcome(
            changed: false,
            observed: [
                "updates": .array(updates.map { .object($0.json) }),
                "security": .integer(Int64(updates.count { $0.isSecurity })),
                "lists_refreshed": refreshed.map { .integer($0) } ?? nil,
            ])
    }

    /// When the lists of packages were last fetched, in milliseconds since 1970.
    private func listsRefreshed() -> Int64? {
        let places = ["/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists/partial", "/var/lib/apt/lists"]
        for place in places {
            var status = stat()
            if stat(root + place, &status) == 0 { return Int64(status.st_mtim.tv_sec) * 1000 }
        }
        return nil
    }

    /// Whether packages want a restart, or a newer kernel of the running kind is installed.
    func tellReboot(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let files = SystemFiles(root: root)
        let marker = ["/run/reboot-required", "/var/run/reboot-required"].first(where: files.exists)
        let packages = marker.flatMap { files.text("\($0).pkgs") }?.split(separator: "\n").map(String.init) ?? []
        var kernels: [String] = []
        files.names(in: "/boot") { if $0.hasPrefix("vmlinuz-") { kernels.append(String($0.dropFirst(8))) } }
        let newest = KernelRelease.newest(of: kernels, like: version)
        let isOlder = newest.map { KernelRelease.isOlder(version, than: $0) } ?? false
        var reasons = marker == nil ? [] : ["the system asks for it"]
        if isOlder, let newest { reasons.append("kernel \(newest) is installed and \(version) runs") }
        return ActionOutcome(
            changed: false,
            observed: [
                "required": .bool(!reasons.isEmpty), "reasons": .array(reasons.map { .string($0) }),
                "packages": .array(Set(packages).sorted().prefix(200).map { .string($0) }), "kernel": .string(version),
                "newest_kernel": newest.map { .string($0) } ?? nil,
            ])
    }

    /// The tools that this system drives or looks through, with the words that make them tell their version.
    private static let versioned: [(name: String, words: [String])] = [
        ("apt-get", ["--version"]), ("clpctl", ["--version"]), ("docker", ["--version"]),
        ("docker-compose", ["--version"]), ("dpkg", ["--version"]), ("helm", ["version", "--short"]),
        ("kubectl", ["version", "--client"]), ("nginx", ["-v"]), ("openssl", ["version"]), ("pveversion", []),
        ("smartctl", ["--version"]), ("systemctl", ["--version"]), ("virsh", ["--version"]), ("zfs", ["version"]),
    ]

    func tellVersions(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let files = SystemFiles(root: root)
        var found: [String: JSONValue] = [:]
        await withTaskGroup(of: (String, JSONValue?).self) { group in
            for (name, words) in Self.versioned { group.addTask { (name, await self.version(of: name, words)) } }
            for await (name, said) in group { found[name] = said }
        }
        if Task.isCancelled { throw DriverError(.cancelled, "broken off") }
        var object: JSONObject = ["kernel": .string(version)]
        object["system"] = (files.text("/etc/os-release") ?? files.text("/usr/lib/os-release"))
            .flatMap(OperatingSystem.init).map { .object($0.json) }
        object["tools"] = .object(JSONObject(found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
        return ActionOutcome(changed: false, observed: object)
    }

    /// The first line that a tool says; nil where it is not installed, and an error where it does not answer.
    private func version(of name: String, _ words: [String]) async -> JSONValue? {
        guard tools.path(of: name) != nil else { return nil }
        do throws(DriverError) {
            let outcome = try await tools.run(name, words, deadline: .seconds(10), outputLimit: 64 << 10)
            let said = (outcome.outputText + "\n" + outcome.errorText).split(separator: "\n").first { !$0.isEmpty }
            return ["version": .string(String((said ?? "").prefix(200)))]
        } catch {
            return ["error": .string(error.message)]
        }
    }
}

/// A line of `apt-get --simulate`: `Inst name [old] (new origin [arch])`.
struct PackageUpdate: Sendable, Hashable {
    let name: String
    /// Nil for a package that is not installed yet.
    let installed: String?
    let available: String
    let origin: String

    var isSecurity: Bool { origin.lowercased().contains("security") }

    static func parse(_ text: String) -> [PackageUpdate] {
        text.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("Inst "), let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")"),
                open < close
            else { return nil }
            let left = line[..<open].dropFirst(5).split(separator: " ")
            let right = line[line.index(after: open)..<close].split(separator: " ")
            guard let name = left.first, let version = right.first else { return nil }
            let old = left.dropFirst().first { $0.hasPrefix("[") && $0.hasSuffix("]") }
            return PackageUpdate(
                name: String(name), installed: old.map { String($0.dropFirst().dropLast()) },
                available: String(version),
                origin: right.dropFirst().filter { !$0.hasPrefix("[") }.joined(separator: " "))
        }
    }

    var json: JSONObject {
        [
            "package": .string(name), "installed": installed.map { .string($0) } ?? nil,
            "available": .string(available), "origin": .string(origin), "security": .bool(isSecurity),
        ]
    }
}

/// Releases of kernels: `6.1.0-28-amd64`.
enum KernelRelease {
    /// The newest of the same flavour as the running one: what stands behind the last number.
    static func newest(of releases: [String], like running: String) -> String? {
        releases.filter { flavour($0) == flavour(running) }.max { isOlder($0, than: $1) }
    }

    /// By the numbers, from the left.
    static func isOlder(_ one: String, than other: String) -> Bool {
        numbers(one).lexicographicallyPrecedes(numbers(other))
    }

    private static func flavour(_ release: String) -> Substring {
        release.lastIndex(where: \.isNumber).map { last in
            // amd64 has digits itself: the flavour is the last part that begins with a letter.
            release.split(separator: "-").last { $0.first?.isLetter == true } ?? release[last...].dropFirst()
        } ?? ""
    }

    private static func numbers(_ release: String) -> [Int] {
        let parts = release.split(separator: "-").prefix { $0.first?.isNumber == true }
        return parts.joined(separator: ".").split(whereSeparator: { !$0.isNumber }).map { Int($0) ?? 0 }
    }
}

/// What `/etc/os-release` says.
struct OperatingSystem: Sendable {
    private let fields: [String: String]

    init?(_ text: String) {
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[String(parts[0])] = Self.unquoted(parts[1])
        }
        guard fields["ID"] != nil else { return nil }
        self.fields = fields
    }

    /// As a shell reads the value of an assignment: either quotation mark, and a backslash but between single ones.
    private static func unquoted(_ value: Substring) -> String {
        var result = ""
        var quote: Character?
        var rest = value
        while let character = rest.popFirst() {
            if character == quote {
                quote = nil
            } else if quote == nil, character == "\"" || character == "'" {
                quote = character
            } else if character == "\\", quote != "'", let next = rest.popFirst() {
                result.append(next)
            } else if quote == nil, character.isWhitespace {
                break
            } else {
                result.append(character)
            }
        }
        return result
    }

    var json: JSONObject {
        var object: JSONObject = [:]
        for (key, name) in [("id", "ID"), ("version", "VERSION_ID"), ("name", "PRETTY_NAME")] {
            object[key] = fields[name].map { .string($0) }
        }
        return object
    }
}
