import DriverKit
import Model
import WireProtocol
import YAML

/// A compose file as a tree, read by this driver and written by it again: what the tool reads is what was checked.
struct ComposeFile: Sendable, Hashable {
    static let sizeLimit = 256 << 10
    /// Ports of the node that one file may publish; `1-65535` again and again would take all memory.
    static let portLimit = 16_384
    static let project = "1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit"
    private static let keys: Set<String> = ["version", "name", "services", "networks", "volumes", "secrets", "configs"]

    var tree: JSONObject

    var text: String { YAMLWriter.write(.object(tree)) }
    var services: [(name: String, body: JSONObject)] {
        (tree["services"]?.asObject?.members ?? []).map { ($0.key, $0.value.asObject ?? [:]) }
    }

    /// - Parameter schema: that of the tool which will read it; unknown, what the tools differ in is refused.
    /// - Throws: `invalidArgument` with line and column where the text is no compose file.
    init(_ text: String, as schema: YAMLSchema = .both) throws(DriverError) {
        guard text.utf8.count <= Self.sizeLimit else { throw .invalidArgument("content", "is larger than 256 KiB") }
        let value: JSONValue
        do { value = try YAMLReader.read(text, as: schema) } catch {
            throw DriverError(.invalidArgument, "argument content is no compose file", cause: "\(error)")
        }
        guard let tree = value.asObject else { throw .invalidArgument("content", "is no mapping") }
        try self.init(tree: tree)
    }

    init(tree: JSONObject) throws(DriverError) {
        self.tree = tree
        // The caller names the project.
        self.tree["name"] = nil
        if let stranger = tree.keys.first(where: { !Self.keys.contains($0) && !$0.hasPrefix("x-") }) {
            throw .invalidArgument("content", "has the unknown part \(stranger.printable(limit: 60))")
        }
        guard let services = tree["services"]?.asObject, !services.isEmpty else {
            throw .invalidArgument("content", "has no services")
        }
        for member in services.members {
            guard Grammar.labelKey.accepts(member.key), !member.key.contains("/"), member.value.asObject != nil else {
                throw .invalidArgument("content", "has no proper service \(member.key.printable(limit: 60))")
            }
        }
        try checkPorts()
    }

    private func checkPorts() throws(DriverError) {
        var count = 0
        for (name, body) in services {
            for entry in body["ports"]?.asArray ?? [] {
                count += NodePort.wanted(entry, service: name).count
                guard count <= Self.portLimit else {
                    throw .invalidArgument("content", "publishes more than \(Self.portLimit) ports")
                }
            }
        }
    }

    /// What services name beside them must be there. docker-compose 1.29 says so only while it brings a project up, and
    /// cannot take it down then.
    func checkReferences() throws(DriverError) {
        for (name, body) in services {
            for (part, kind) in [("networks", "network"), ("secrets", "secret"), ("configs", "config")] {
                let declared = tree[part]?.asObject ?? [:]
                let used =
                    body[part]?.asObject?.keys
                    ?? (body[part]?.asArray ?? []).compactMap {
                        $0.asString ?? $0["source"]?.asString
                    }
                guard
                    let stranger = used.first(where: { declared[$0] == nil && (part != "networks" || $0 != "default") })
                else { continue }
                throw .invalidArgument(
                    "content",
                    "has a service \(name) with the \(kind) \(stranger.printable(limit: 60)), which it does not declare"
                )
            }
        }
    }

    static func isProject(_ name: String) -> Bool {
        let inner = "-_0123456789abcdefghijklmnopqrstuvwxyz"
        return (1...63).contains(name.utf8.count) && name.allSatisfy { inner.contains($0) } && name.first != "-"
            && name.first != "_"
    }

    /// The same file with each service as `change` makes it.
    func changingServices(
        _ change: (String, JSONObject) throws(DriverError) -> JSONObject
    ) throws(DriverError) -> ComposeFile {
        var services: JSONObject = [:]
        for (name, body) in self.services { services[name] = .object(try change(name, body)) }
        var file = self
        file.tree["services"] = .object(services)
        return file
    }

    /// The same file with each mount's source on the node as `change` makes it; named volumes are not asked for.
    func changingSources(_ change: (String) throws(DriverError) -> String) throws(DriverError) -> ComposeFile {
        try changingServices { (_, body) throws(DriverError) in
            guard let volumes = body["volumes"]?.asArray else { return body }
            var changed: [JSONValue] = []
            for volume in volumes {
                guard var mount = ComposeMount(volume), mount.isBind else {
                    changed.append(volume)
                    continue
                }
                mount.source = try change(mount.source)
                changed.append(mount.value)
            }
            var body = body
            body["volumes"] = .array(changed)
            return body
        }
    }

    /// Paths that begin with a dot lie in the project's own folder, whatever the tool would make of them.
    func resolvingPaths(in folder: String) throws(DriverError) -> ComposeFile {
        try changingSources { (source) throws(DriverError) in
            if source.hasPrefix("/") || source.hasPrefix("$") { return source }
            var parts: [Substring] = []
            for part in source.split(separator: "/") where part != "." { parts.append(part) }
            guard !parts.contains(".."), !source.hasPrefix("~") else {
                throw .invalidArgument(
                    "content", "mounts \(source.printable(limit: 100)), which lies outside the project")
            }
            return ([folder] + parts.map(String.init)).joined(separator: "/")
        }
    }
}

/// One entry of a service's volumes, in either of its forms.
struct ComposeMount: Sendable, Hashable {
    private let whole: JSONValue
    /// Behind the source, in the short form.
    private let rest: String
    var source: String
    let isBind: Bool
    /// bind, volume, tmpfs or another word of compose.
    let kind: String
    /// Whether the container can only read.
    var isReadOnly: Bool {
        whole["read_only"]?.asBool
            ?? rest.split(separator: ":").dropFirst().joined(separator: ",").split(separator: ",")
            .contains("ro")
    }

    /// Nil for a mount without a source.
    init?(_ value: JSONValue) {
        whole = value
        if let text = value.asString {
            // A variable may hold colons of its own between its braces.
            guard let colon = Self.colon(text) else { return nil }
            source = String(text[..<colon])
            rest = String(text[colon...])
            isBind = source.first.map { "./~$".contains($0) } ?? false
            kind = isBind ? "bind" : "volume"
        } else {
            guard let object = value.asObject, let text = object["source"]?.asString else { return nil }
            source = text
            rest = ""
            kind = object["type"]?.asString ?? "volume"
            isBind = kind == "bind"
        }
    }

    private static func colon(_ text: String) -> String.Index? {
        var depth = 0
        for place in text.indices {
            switch text[place] {
            case "{": depth += 1
            case "}": depth -= 1
            case ":" where depth == 0: return place
            default: break
            }
        }
        return nil
    }

    var value: JSONValue {
        if whole.asString != nil { return .string(source + rest) }
        var object = whole.asObject ?? [:]
        object["source"] = .string(source)
        return .object(object)
    }
}

extension JSONValue {
    /// No, as compose takes it where it asks yes or no: readers of YAML leave `no` a text or not.
    var isOff: Bool {
        self == false || ["0", "f", "false", "n", "no", "off"].contains(asString?.lowercased())
    }
}
