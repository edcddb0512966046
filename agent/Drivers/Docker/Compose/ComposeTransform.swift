import DriverKit
import Model
import WireProtocol

/// How a compose file is to be changed for this node.
struct ComposeTransform: Sendable {
    struct Proxy: Sendable {
        var service: String
        var port: Int64?
        var network: String
        var domain: String?
        var keepsPorts: Bool
    }

    /// Beginnings of paths on the node, the longest first.
    var paths: [(from: String, to: String)]
    /// Where relative paths go, instead of the project's own folder.
    var appdata: String?
    var networks: [String: String]
    var ports: [Int64: Int64]
    /// Ports that somebody else has are exchanged for free ones of this range.
    var freePorts: ClosedRange<Int64>?
    var proxy: Proxy?

    init(_ object: JSONObject) throws(DriverError) {
        var reader = ArgumentReader(object)
        paths = (try reader.object("paths")?.texts ?? [:]).map { ($0.key, $0.value) }
            .sorted { $0.0.utf8.count > $1.0.utf8.count }
        appdata = try reader.optionalString("appdata")
        networks = try reader.object("networks")?.texts ?? [:]
        ports = Self.ports(try reader.object("ports"))
        freePorts = try Self.range(reader.value("free_ports"))
        proxy = try reader.object("proxy").map { (object) throws(DriverError) in try Self.proxy(object) }
        try reader.finish()
    }

    private static func range(_ value: JSONValue?) throws(DriverError) -> ClosedRange<Int64>? {
        guard let ends = value?.asArray?.compactMap(\.asInteger), ends.count == 2 else { return nil }
        guard ends[0] <= ends[1] else {
            throw .invalidArgument("transform.free_ports", "must be two port numbers, the first the lower")
        }
        return ends[0]...ends[1]
    }

    private static func ports(_ object: JSONObject?) -> [Int64: Int64] {
        var ports: [Int64: Int64] = [:]
        for member in object?.members ?? [] {
            if let from = Int64(member.key) { ports[from] = member.value.asInteger }
        }
        return ports
    }

    private static func proxy(_ object: JSONObject) throws(DriverError) -> Proxy {
        var reader = ArgumentReader(object)
        let proxy = Proxy(
            service: try reader.string("service"), port: try reader.optionalInteger("port"),
            network: try reader.string("network"), domain: try reader.optionalString("domain"),
            keepsPorts: try reader.bool("keep_ports"))
        try reader.finish()
        return proxy
    }
}

/// A file as it was changed, and what was done to it.
struct TransformedFile: Sendable {
    var file: ComposeFile
    var changes: [String] = []
    /// What was asked for and cannot be done before variables are filled in, or meets nothing.
    var notDone: [String] = []
    /// Arguments of `swag.config.ensure` for the service behind the proxy.
    var proxy: JSONObject?

    /// - Parameter taken: ports of the node that somebody else has.
    init(
        _ file: ComposeFile, _ transform: ComposeTransform, project: String, taken: [NodePort]
    ) throws(DriverError) {
        self.file = file
        try movePaths(transform, project)
        try renameNetworks(transform.networks)
        if let proxy = transform.proxy { try putBehind(proxy, project) }
        try movePorts(transform, taken)
    }

    private mutating func movePaths(_ transform: ComposeTransform, _ project: String) throws(DriverError) {
        if let appdata = transform.appdata {
            let home = "\(appdata)/\(project)"
            let moved = try file.resolvingPaths(in: home)
            if moved != file { changes.append("relative paths lie in \(home)") }
            file = moved
        }
        var moves: [String] = []
        let isAsked = transform.appdata != nil || !transform.paths.isEmpty
        var hidden: [String] = []
        file = try file.changingSources { (source) throws(DriverError) in
            if isAsked, source.hasPrefix("$") {
                hidden.append("mount of \(source.printable(limit: 100)) does not move: a variable gives its place")
            }
            for (from, to) in transform.paths where source == from || source.hasPrefix(from + "/") {
                let moved = to + source.dropFirst(from.count)
                moves.append("\(source) is \(moved)")
                return moved
            }
            return source
        }
        changes += moves
        notDone += hidden
    }

    private mutating func renameNetworks(_ names: [String: String]) throws(DriverError) {
        guard !names.isEmpty else { return }
        var top = file.tree["networks"]?.asObject ?? [:]
        for (old, new) in names.sorted(by: { $0.key < $1.key }) {
            guard top[old] != nil || old == "default" else {
                notDone.append("network \(old) is not exchanged: the file has none of that name")
                continue
            }
            top[old] = nil
            top[new == old ? old : new] = ["external": true, "name": .string(new)]
            changes.append("network \(old) is the node's \(new)")
        }
        file = try file.changingServices { (_, body) throws(DriverError) in
            guard body["network_mode"] == nil else { return body }
            var body = body
            var places = Self.places(body["networks"])
            if places.isEmpty { places["default"] = .null }
            var renamed: JSONObject = [:]
            for member in places.members { renamed[names[member.key] ?? member.key] = member.value }
            if renamed != ["default": .null] { body["networks"] = .object(renamed) }
            return body
        }
        file.tree["networks"] = top.isEmpty ? nil : .object(top)
    }

    /// Networks of a service in the form that takes aliases.
    private static func places(_ value: JSONValue?) -> JSONObject {
        if let object = value?.asObject { return object }
        return JSONObject((value?.asArray ?? []).compactMap(\.asString).map { ($0, .null) })
    }

    private mutating func putBehind(_ proxy: ComposeTransform.Proxy, _ project: String) throws(DriverError) {
        guard let body = file.services.first(where: { $0.name == proxy.service })?.body else {
            throw .invalidArgument("transform.proxy.service", "is no service of the file")
        }
        guard body["network_mode"] == nil else {
            throw .invalidArgument("transform.proxy.service", "has a network_mode, so the proxy cannot reach it")
        }
        let entries = body["ports"]?.asArray ?? []
        let inside = entries.lazy.compactMap { entry -> Int64? in
            if case .known(let ports) = PortEntry(entry).inside { ports.lowerBound } else { nil }
        }.first
        let exposed = body["expose"]?.asArray?.compactMap { $0.asInteger ?? $0.asString.flatMap { Int64($0) } }.first
        guard let port = proxy.port ?? inside ?? exposed else {
            throw .invalidArgument("transform.proxy.port", "is missing, and the service names none")
        }
        // Names of services repeat from project to project; in a network that they share this one does not.
        let alias = "\(project)-\(proxy.service)"
        let kept = proxy.keepsPorts ? entries : try unpublished(entries, port, service: proxy.service)
        file = try file.changingServices { (name, body) throws(DriverError) in
            guard name == proxy.service else { return body }
            var body = body
            var places = Self.places(body["networks"])
            if places.isEmpty { places["default"] = .null }
            places[proxy.network] = ["aliases": [.string(alias)]]
            body["networks"] = .object(places)
            body["ports"] = kept.isEmpty ? nil : .array(kept)
            return body
        }
        var top = file.tree["networks"]?.asObject ?? [:]
        top[proxy.network] = ["external": true, "name": .string(proxy.network)]
        file.tree["networks"] = .object(top)
        changes.append("service \(proxy.service) is \(alias):\(port) in network \(proxy.network)")
        var order: JSONObject = [
            "name": .string(alias), "upstream": .string(alias), "port": .integer(port), "protocol": "http",
        ]
        order["server_names"] = proxy.domain.map { [.string($0)] }
        self.proxy = order
    }
}
