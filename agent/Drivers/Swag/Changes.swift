import DockerDriver
import DriverKit
import Glibc
import Model
import WireProtocol

/// Writing: the file goes in, nginx checks all of them together, and what it does not take goes back out at once. A broken
/// file that stays would keep nginx from its next start, and with it every site.
extension SwagDriver {
    func ensure(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let order = try ProxySpec(&reader)
        let takesAny = try reader.bool("any_upstream")
        try reader.finish()
        let place = try await installation()
        let folder = try ConfigurationFolder(place.folder)
        _ = try folder.settle()
        if let present = try folder.read(order.file) {
            guard Self.isManaged(present) else {
                throw DriverError(.foreign, "\(order.file) was not made by Innkeeper")
            }
            guard Self.owner(present) == order.service || call.mark != nil else {
                throw DriverError(.foreign, "\(order.file) belongs to another service")
            }
        }
        if !takesAny { try await refuseStrangers(order, place) }
        let text = try await text(order, place)
        let mark = call.mark?.made(by: context.commandID)
        return try await install(ProxyFile(order.file)!, Array(text.utf8), mark, folder, place, context)
    }

    /// Only a container that shares a network with SWAG can be reached by its name; an address could be anybody's.
    private func refuseStrangers(_ order: ProxySpec, _ place: Installation) async throws(DriverError) {
        guard case .container(let docker, _) = access, let container = place.container else { return }
        let known = try await docker.names(in: container.networks)
        guard known.contains(order.upstream) else {
            throw DriverError(
                .conflict, "no container \(order.upstream) shares a network with \(container.name)",
                cause: "networks of \(container.name): \(container.networks.sorted().joined(separator: ", "))")
        }
    }

    func write(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let file = try reader.proxyFile()
        let content = try reader.string("content")
        let overwrites = try reader.bool("overwrite")
        try reader.finish()
        guard !content.isEmpty, content.utf8.count <= ConfigurationFolder.sizeLimit, !content.utf8.contains(0) else {
            throw .invalidArgument("content", "must be text of at most 256 KiB")
        }
        let place = try await installation()
        let folder = try ConfigurationFolder(place.folder)
        _ = try folder.settle()
        let bytes = Array(content.utf8)
        if let present = try folder.read(file.name), present != bytes, !overwrites {
            throw DriverError(.conflict, "\(file.name) is there with other content")
        }
        return try await install(file, bytes, call.mark?.made(by: context.commandID), folder, place, context)
    }

    func remove(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("name")
        let service = try reader.optionalString("service")
        let takesForeign = try reader.bool("unmanaged")
        try reader.finish()
        let file = "\(name).subdomain.conf"
        let place = try await installation()
        let folder = try ConfigurationFolder(place.folder)
        _ = try folder.settle()
        let gone: JSONObject = ["file": .string(file), "present": false]
        guard let present = try folder.read(file) else {
            marks.forget(file)
            return ActionOutcome(changed: false, observed: gone)
        }
        guard Self.isManaged(present) || takesForeign else {
            throw DriverError(.foreign, "\(file) was not made by Innkeeper")
        }
        if let service, Self.owner(present) != service {
            throw DriverError(.foreign, "\(file) belongs to another service")
        }
        try await exchange(file, nil, folder, place, context)
        marks.forget(file)
        return ActionOutcome(changed: true, observed: gone)
    }

    func reload(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let place = try await installation()
        _ = try ConfigurationFolder(place.folder).settle()
        let verdict = try await verdict(place, context)
        guard verdict.isValid else { throw Self.refused(verdict, nil) }
        try await reload(place, context)
        return ActionOutcome(changed: true, observed: verdict.observed)
    }

    // MARK: one change

    private func install(
        _ file: ProxyFile, _ bytes: [UInt8], _ mark: Mark?, _ folder: ConfigurationFolder, _ place: Installation,
        _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        try refuseTaken(NginxText(bytes).serverNames, file.name, folder, place)
        let observed = Self.summary(file, bytes)
        let present = try folder.read(file.name)
        if present == bytes { return ActionOutcome(changed: false, observed: observed) }
        // Before the file: one that is there without its mark would be nobody's.
        if let mark, present == nil { try marks.note(mark, of: file.name) }
        do throws(DriverError) { try await exchange(file.name, bytes, folder, place, context) } catch {
            if present == nil { marks.forget(file.name) }
            throw error
        }
        return ActionOutcome(changed: true, observed: observed)
    }

    /// nginx only warns of a name that two files have, and gives it to the one that it reads first.
    private func refuseTaken(
        _ names: [String], _ file: String, _ folder: ConfigurationFolder, _ place: Installation
    ) throws(DriverError) {
        func look(_ folder: ConfigurationFolder, _ others: [String]) throws(DriverError) {
            for other in others where other != file {
                let taken = NginxText(try folder.read(other) ?? []).serverNames
                guard let name = names.first(where: { NginxText.names(taken, have: $0) }) else { continue }
                throw DriverError(.conflict, "the name \(name) is taken by \(other)")
            }
        }
        try look(folder, try folder.names().filter { ProxyFile($0)?.isActive ?? false })
        guard let sites = try? ConfigurationFolder(place.folder, ["nginx", "site-confs"]) else { return }
        try look(sites, try sites.names().filter { $0.hasSuffix(".conf") })
    }

    /// In, checked, loaded; or back out.
    private func exchange(
        _ file: String, _ bytes: [UInt8]?, _ folder: ConfigurationFolder, _ place: Installation,
        _ context: ActionContext
    ) async throws(DriverError) {
        // What was broken before is not blamed on this file, and would keep it from being loaded.
        let before = try await verdict(place, context)
        guard before.isValid || bytes == nil && before.culprit == file else { throw Self.refused(before, nil) }
        try folder.exchange(file, bytes)
        do throws(DriverError) {
            let after = try await verdict(place, context)
            let names = NginxText(bytes ?? []).serverNames
            let isDoubled = names.contains { NginxText.names(after.doubled, have: $0) }
            guard after.isValid, !isDoubled else { throw Self.refused(after, file) }
            try await reload(place, context)
            folder.keep(file)
        } catch {
            try folder.goBack(file)
            // The reload may have got half-way; cancellation must not leave it there.
            let loaded = await Task { () -> Bool in
                guard let code = try? await self.nginx(["-s", "reload"], at: place, context).code else { return false }
                return code == 0
            }.value
            if error.code == .invalidArgument || error.code == .conflict || loaded { throw error }
            throw DriverError(
                error.code, "\(error.message); the file before is back, but nginx could not be told",
                retryable: error.retryable, cause: error.cause)
        }
    }

    private static func refused(_ verdict: NginxVerdict, _ file: String?) -> DriverError {
        let cause = verdict.messages.isEmpty ? nil : shortened(verdict.messages.joined(separator: "\n"))
        if let name = verdict.doubled.first, verdict.isValid {
            return DriverError(.conflict, "nginx knows the name \(name) already", cause: cause)
        }
        if let file, verdict.culprit == nil || verdict.culprit == file {
            return DriverError(
                .invalidArgument, "nginx does not take \(file); what was there before is back", cause: cause)
        }
        let culprit = verdict.culprit.map { "\($0) is broken" } ?? "nginx does not take its configuration"
        return DriverError(.conflict, "\(culprit), so nothing can be loaded", cause: cause)
    }

    /// nginx says 0 as soon as it has sent the signal; whether its master could do it stands in the error log.
    private func reload(_ place: Installation, _ context: ActionContext) async throws(DriverError) {
        let log = ErrorLog("\(place.folder)/log/nginx/error.log")
        let (code, text) = try await nginx(["-s", "reload"], at: place, context)
        guard code == 0 else {
            throw DriverError(.failed, "nginx could not be told to reload", cause: Self.shortened(text))
        }
        for _ in 0..<10 {
            do { try await Task.sleep(for: .milliseconds(100)) } catch { throw DriverError(.cancelled, "broken off") }
            if let line = log.emergency() {
                throw DriverError(.failed, "nginx did not take the new configuration", cause: Self.shortened(line))
            }
        }
    }
}

/// What comes into nginx's error log from now on. The container could put a link in its place: it is not followed.
struct ErrorLog: Sendable {
    private let path: String
    private let start: off_t

    init(_ path: String) {
        self.path = path
        var status = stat()
        start = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? status.st_size : 0
    }

    /// The first line of the level at which a configuration is refused.
    func emergency() -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        let count = pread(file, &bytes, bytes.count, start)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").first {
            $0.contains("[emerg]")
        }.map(String.init)
    }
}
