import DriverKit
import HTTPFetch
import WireProtocol

/// `compose.down` and `compose.logs`.
extension DockerDriver {
    func takeDown(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let project = try reader.string("project")
        let takesVolumes = try reader.bool("volumes")
        let removesFiles = try reader.bool("remove_files")
        let grace = try reader.integer("grace_s")
        try reader.finish()
        return try await gate.holding("compose \(project)") { () async throws(DriverError) in
            let folder = self.folder(project)
            var changed = false
            if try folder.content() != nil {
                changed = try await !self.leftovers(project, volumes: takesVolumes).isEmpty
                let run = try await self.run(project, file: folder.file, try folder.variables())
                var words = ["down", "--remove-orphans", "-t", String(grace)]
                if takesVolumes { words.append("-v") }
                if changed { try await run.run(words) { context.progress($0) } }
            }
            // What the file does not name any more, or all of it where there is no file.
            changed = try await self.removeLeftovers(project, volumes: takesVolumes, grace: grace) || changed
            await self.roster.forget()
            if removesFiles, try folder.content() != nil {
                folder.removeFiles()
                changed = true
            }
            return ActionOutcome(changed: changed, observed: ["project": .string(project), "state": "absent"])
        }
    }

    private func leftovers(_ project: String, volumes takesVolumes: Bool) async throws(DriverError) -> [String] {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true, label: "\(ComposeLabel.project)=\(project)")
        }
        let networks = try await networks().filter { $0.project == project }.map(\.name)
        let volumes = takesVolumes ? try await self.volumes().filter { $0.labels[ComposeLabel.project] == project } : []
        return entries.map(\.name) + networks + volumes.map(\.name)
    }

    private func removeLeftovers(
        _ project: String, volumes takesVolumes: Bool, grace: Int64
    ) async throws(DriverError) -> Bool {
        var changed = false
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true, label: "\(ComposeLabel.project)=\(project)")
        }
        for entry in entries {
            guard let state = try await look(entry.id) else { continue }
            _ = try await stopped(state, grace: grace)
            try await removeKeepingVolumes(state)
            changed = true
        }
        for network in try await networks() where network.project == project {
            try await removeOne("/networks/\(network.id)", "network \(network.name)")
            changed = true
        }
        guard takesVolumes else { return changed }
        for volume in try await volumes() where volume.labels[ComposeLabel.project] == project {
            try await removeOne("/volumes/\(volume.name)", "volume \(volume.name)")
            changed = true
        }
        return changed
    }

    private func removeKeepingVolumes(_ state: ContainerState) async throws(DriverError) {
        do { _ = try await engine.call("DELETE", "/containers/\(state.id)", timeout: .seconds(60)) } catch {
            if !error.isMissing { throw error.driverError }
        }
    }

    private func removeOne(_ path: String, _ what: String) async throws(DriverError) {
        do { _ = try await engine.call("DELETE", path, timeout: .seconds(120)) } catch {
            if error.isMissing { return }
            let failure = error.driverError
            throw DriverError(
                failure.code == .failed ? .busy : failure.code, "\(what) stays", retryable: failure.retryable,
                cause: failure.cause
            ).afterChange()
        }
    }

    // MARK: logs

    func sendProjectLogs(_ call: ActionCall, _ context: ActionContext) async throws(DriverError)
        -> ActionOutcome
    {
        var reader = ArgumentReader(call.arguments)
        let project = try reader.string("project")
        let service = try reader.optionalString("service")
        let query = try LogQuery(&reader)
        try reader.finish()
        let members = try await members(of: project).filter { service == nil || $0.service == service }
        guard !members.isEmpty else {
            throw DriverError(
                .notFound, "project \(project) has no containers" + (service.map { " of service \($0)" } ?? ""))
        }
        // Followed logs come as they are written; past ones container by container.
        let width = query.follows ? members.count : 1
        let result = await withTaskGroup(of: Result<Int64, DriverError>.self) { group in
            var waiting = members[...]
            var total: Result<Int64, DriverError> = .success(0)
            for _ in 0..<width {
                guard let member = waiting.popFirst() else { break }
                group.addTask { await self.lines(of: member, query, context) }
            }
            for await one in group {
                switch (total, one) {
                case (.success(let sum), .success(let count)): total = .success(sum + count)
                case (.success, .failure): total = one
                case (.failure, _): break
                }
                if case .failure = total {
                    group.cancelAll()
                } else if let member = waiting.popFirst() {
                    group.addTask { await self.lines(of: member, query, context) }
                }
            }
            return total
        }
        return ActionOutcome(
            changed: false, observed: ["project": .string(project), "bytes": .integer(try result.get())])
    }

    private func lines(
        of member: ProjectMember, _ query: LogQuery, _ context: ActionContext
    ) async -> Result<Int64, DriverError> {
        let prefix = Array("\(member.state.name) | ".utf8)
        let cutter = LinePrefix(prefix, context)
        do throws(DriverError) {
            let stream: HTTPStream
            do {
                stream = try await engine.stream("GET", "/containers/\(member.state.id)/logs", query: query.pairs)
            } catch {
                throw error.driverError
            }
            _ = try await relay(stream, framed: !member.state.hasTerminal, to: cutter.context)
            try await cutter.finish()
            return .success(cutter.count)
        } catch { return .failure(error) }
    }
}

/// Makes whole lines of a container's output, each with the container's name in front.
private final class LinePrefix: Sendable {
    private static let lineLimit = 64 << 10
    private let prefix: [UInt8]
    private let target: ActionContext
    private let state = PrefixState()

    init(_ prefix: [UInt8], _ target: ActionContext) {
        self.prefix = prefix
        self.target = target
    }

    var count: Int64 { state.count }

    var context: ActionContext {
        ActionContext(commandID: target.commandID, logger: target.logger) {
            [self] stream, bytes throws(CancellationError) in
            let lines = state.take(stream, bytes, prefix, limit: Self.lineLimit)
            if !lines.isEmpty { try await target.output(stream, lines) }
        }
    }

    /// What stands behind the last line end.
    func finish() async throws(DriverError) {
        let streams: [DriverKit.OutputStream] = [.stdout, .stderr]
        for stream in streams {
            let rest = state.rest(stream, prefix)
            guard !rest.isEmpty else { continue }
            do { try await target.output(stream, rest) } catch { throw DriverError(.cancelled, "broken off") }
        }
    }
}
