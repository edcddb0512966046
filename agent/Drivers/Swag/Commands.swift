import DockerDriver
import DriverKit
import Model
import WireProtocol

/// Looking: where SWAG is, what it publishes, what nginx thinks of it.
extension SwagDriver {
    func inspect(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let place = try await installation()
        var observed: JSONObject = ["folder": .string(place.folder), "running": .bool(place.isRunning)]
        observed["container"] = place.container.map { .string($0.name) }
        observed["image"] = place.container.map { .string($0.image) }
        observed["networks"] = place.container.map { .array($0.networks.sorted().map { .string($0) }) }
        let folder = try ConfigurationFolder(place.folder)
        observed["active"] = .integer(Int64(try folder.names().filter { ProxyFile($0)?.isActive ?? false }.count))
        observed["includes_subdomains"] = .bool(includesSubdomains(place))
        return ActionOutcome(changed: false, observed: observed)
    }

    /// Whether the default site still includes the folder: people change that file.
    private func includesSubdomains(_ place: Installation) -> Bool {
        guard let folder = try? ConfigurationFolder(place.folder, ["nginx", "site-confs"]),
            let names = try? folder.names()
        else { return false }
        return names.filter { $0.hasSuffix(".conf") }.contains { name in
            let bytes = ((try? folder.read(name)) ?? nil) ?? []
            return NginxText(bytes).statements.contains {
                $0.first == "include" && $0.last?.hasSuffix("proxy-confs/*.subdomain.conf") == true
            }
        }
    }

    func list(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let withSamples = try reader.bool("samples")
        try reader.finish()
        let folder = try ConfigurationFolder(try await installation().folder)
        var configurations: [JSONValue] = []
        var samples: [JSONValue] = []
        for file in try folder.names().compactMap(ProxyFile.init) {
            if file.kind == .sample {
                samples.append(.string(file.name))
            } else if let bytes = try folder.read(file.name) {
                configurations.append(.object(Self.summary(file, bytes)))
            }
        }
        var observed: JSONObject = ["configurations": .array(configurations)]
        if withSamples { observed["samples"] = .array(samples) }
        return ActionOutcome(changed: false, observed: observed)
    }

    static func summary(_ file: ProxyFile, _ bytes: [UInt8]) -> JSONObject {
        let text = NginxText(bytes)
        var object: JSONObject = [
            "file": .string(file.name), "kind": .string(file.kind.rawValue), "managed": .bool(isManaged(bytes)),
            "server_names": .array(text.serverNames.map { .string($0) }), "bytes": .integer(Int64(bytes.count)),
        ]
        object["service"] = owner(bytes).map { .string($0) }
        // Of several locations the site's own decides; without one, what all of them say.
        let own = NginxTree(bytes)?.ownTarget
        let upstream = own.map { ProxyTarget.value($0.app) } ?? text.variable("$upstream_app")
        let port = own.map { ProxyTarget.value($0.port) } ?? text.variable("$upstream_port")
        object["upstream"] = upstream.map { .string($0) }
        object["port"] = port.flatMap { Int64($0) }.map { .integer($0) }
        return object
    }

    /// The first line says whose it is.
    static func isManaged(_ bytes: [UInt8]) -> Bool { bytes.starts(with: "\(ProxySpec.mark) ".utf8) }

    /// The service behind a configuration of ours, where the first line names one.
    static func owner(_ bytes: [UInt8]) -> String? {
        guard isManaged(bytes) else { return nil }
        let words = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self).split(separator: " ")
        return words.count == 5 && words[3] == "of" ? String(words[4]) : nil
    }

    func read(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let file = try reader.proxyFile()
        try reader.finish()
        let folder = try ConfigurationFolder(try await installation().folder)
        guard let bytes = try folder.read(file.name) else {
            throw DriverError(.notFound, "there is no configuration \(file.name)")
        }
        var observed = Self.summary(file, bytes)
        observed["content"] = .string(String(decoding: bytes, as: UTF8.self))
        return ActionOutcome(changed: false, observed: observed)
    }

    func check(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let verdict = try await verdict(try await installation(), context)
        return ActionOutcome(changed: false, observed: verdict.observed)
    }

    func generate(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let order = try ProxySpec(&reader)
        try reader.finish()
        let text = try await text(order, try await installation())
        return ActionOutcome(changed: false, observed: ["file": .string(order.file), "content": .string(text)])
    }

    func text(_ order: ProxySpec, _ place: Installation) async throws(DriverError) -> String {
        guard let sample = order.sample else { return order.text(home: place.home) }
        let name = "\(sample).subdomain.conf.sample"
        guard let bytes = try ConfigurationFolder(place.folder).read(name) else {
            throw DriverError(.notFound, "SWAG has no sample \(name)")
        }
        return try order.text(from: bytes)
    }

    func verdict(_ place: Installation, _ context: ActionContext) async throws(DriverError) -> NginxVerdict {
        let (code, text) = try await nginx(["-t"], at: place, context)
        return NginxVerdict(code, text)
    }
}

extension ArgumentReader {
    mutating func proxyFile() throws(DriverError) -> ProxyFile {
        guard let file = ProxyFile(try string("file")) else { throw .invalidArgument("file", "is no proxy's file") }
        return file
    }
}
