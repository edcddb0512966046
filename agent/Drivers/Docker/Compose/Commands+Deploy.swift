import DriverKit
import Glibc
import WireProtocol

/// `compose.deploy`: check everything, then the file, then the images, then the containers; back to the old file when
/// they do not come up.
extension DockerDriver {
    private struct DeploySpec: Sendable {
        let order: ComposeSpec
        let pulls: Bool
        let starts: Bool
        let removesOrphans: Bool
        let rollsBack: Bool
        let ignoresConflicts: Bool
        /// How long containers may take to run and to be healthy; nil does not wait.
        let patience: Duration
        let login: JSONObject?

        init(_ call: ActionCall) throws(DriverError) {
            var reader = ArgumentReader(call.arguments)
            order = try ComposeSpec(&reader, call)
            pulls = try reader.bool("pull")
            starts = try reader.bool("up")
            removesOrphans = try reader.bool("remove_orphans")
            rollsBack = try reader.bool("rollback")
            ignoresConflicts = try reader.bool("ignore_conflicts")
            patience = .seconds(try reader.integer("wait_s"))
            let registry = try reader.optionalString("registry")
            try reader.finish()
            login = try Self.login(registry, call.secrets)
        }

        /// What the tool reads as `config.json`.
        private static func login(_ registry: String?, _ secrets: JSONObject) throws(DriverError) -> JSONObject? {
            guard let name = secrets["registry_username"]?.asString else { return nil }
            guard let password = secrets["registry_password"]?.asString else {
                throw .invalidArgument("secrets.registry_password", "is missing")
            }
            let place = registry ?? "https://index.docker.io/v1/"
            let login: JSONValue = ["auth": .string(Base64.encode(Array("\(name):\(password)".utf8)))]
            return ["auths": .object([place: login])]
        }
    }

    func deployCompose(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        let spec = try DeploySpec(call)
        let project = spec.order.project
        return try await gate.holding("compose \(project)") { () async throws(DriverError) in
            try await self.deploy(spec, project, context)
        }
    }

    private func deploy(
        _ spec: DeploySpec, _ project: String, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        let fitted = try await fitted(spec.order)
        try await check(fitted.file, project, isFilledIn: false)
        let folder = folder(project)
        try folder.prepare()
        defer { folder.discardCandidate() }
        let text = fitted.file.text
        try folder.write(candidate: text)
        context.progress("checking the file")
        let trial = try await run(project, file: folder.candidate, spec.order.variables)
        let (effective, warnings) = try await effective(trial)
        return try await admitting(effective, project) { () async throws(DriverError) in
            try self.refuseConflicts(try await self.scan(effective, project: project), spec.ignoresConflicts)
            return try await self.put(spec, fitted, folder, warnings, context)
        }
    }

    /// The candidate in the place of the file, and its containers up.
    private func put(
        _ spec: DeploySpec, _ fitted: TransformedFile, _ folder: ComposeFolder, _ warnings: [String],
        _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        let (project, text) = (spec.order.project, fitted.file.text)
        let before = try await members(of: project)
        let oldVariables = try folder.variables()
        let isSame = try folder.content() == Array(text.utf8) && oldVariables.all == spec.order.variables.all
        let backup = isSame ? nil : try folder.accept()
        let hadFile = isSame || backup != nil
        var failure: DriverError
        do {
            if !isSame { try folder.write(spec.order.variables) }
            let members = try await bringUp(spec, folder, context)
            var observed = fitted.observed(withContent: false)
            observed["project"] = .string(project)
            observed["file"] = .string(folder.file)
            observed["warnings"] = .array(warnings.map { .string($0) })
            observed["backup"] = backup.map { .string($0) }
            observed["services"] = .array(members.map(\.observed))
            let changed = !isSame || Self.identities(before) != Self.identities(members)
            return ActionOutcome(changed: changed, observed: observed)
        } catch { failure = error }
        if isSame { throw failure.afterChange() }
        guard spec.rollsBack, failure.code != .cancelled, failure.code != .unknownOutcome, !Task.isCancelled else {
            throw DriverError(
                failure.code == .cancelled ? .unknownOutcome : failure.code,
                "\(failure.message); project \(project) has its new file and may be partly up",
                retryable: failure.retryable, cause: failure.cause
            ).afterChange()
        }
        throw await rollBack(failure, folder, backup, oldVariables, hadFile: hadFile, project: project, context)
    }

    private static func identities(_ members: [ProjectMember]) -> [String] {
        members.map { "\($0.state.id) \($0.state.startedText)" }
    }

    private func refuseConflicts(_ scan: ComposeScan, _ ignores: Bool) throws(DriverError) {
        guard !scan.conflicts.isEmpty, !ignores else { return }
        let list = scan.conflicts.prefix(20).map { conflict in
            "\(conflict.kind) \(conflict.what) \(conflict.problem)"
                + (conflict.suggestion.map { ", \($0) is free" } ?? "")
        }
        throw DriverError(.conflict, "the project cannot have what it wants", cause: list.joined(separator: "; "))
    }

    private func bringUp(
        _ spec: DeploySpec, _ folder: ComposeFolder, _ context: ActionContext
    ) async throws(DriverError) -> [ProjectMember] {
        let project = spec.order.project
        var run = try await run(project, file: folder.file, spec.order.variables)
        let login = try spec.login.map { (login) throws(DriverError) in try LoginFolder(login) }
        run.login = login?.path
        defer { withExtendedLifetime(login) {} }
        if spec.pulls {
            context.progress("fetching images")
            try await run.run(["pull", "--quiet"]) { context.progress($0) }
        }
        guard spec.starts else { return try await members(of: project) }
        context.progress("bringing the project up")
        let orphans = spec.removesOrphans ? ["--remove-orphans"] : []
        try await run.run(["up", "-d"] + orphans) { context.progress($0) }
        await roster.forget()
        return try await settled(project, spec.patience)
    }

    /// Compose's own waiting differs from version to version, and takes a container that has done its work for a failure.
    private func settled(_ project: String, _ patience: Duration) async throws(DriverError) -> [ProjectMember] {
        let end = ContinuousClock.now + patience
        while true {
            let members = try await members(of: project)
            if let failed = members.first(where: \.hasFailed) { throw Self.failure(failed) }
            if members.allSatisfy(\.isSettled) || patience == .zero { return members }
            guard ContinuousClock.now < end else {
                let late = members.filter { !$0.isSettled }.map {
                    "\($0.state.name) is \($0.state.health ?? $0.state.status)"
                }
                throw DriverError(
                    .failed, "project \(project) did not come up in time", cause: late.joined(separator: "; "))
            }
            try await pause(.milliseconds(500))
        }
    }

    private static func failure(_ member: ProjectMember) -> DriverError {
        let state = member.state
        if state.status == "running" { return DriverError(.failed, "container \(state.name) is unhealthy") }
        return DriverError(
            .failed, "container \(state.name) ended with code \(state.exitCode)",
            cause: state.startError.isEmpty ? nil : state.startError)
    }

    /// The old file again, and its containers; a project that was not there before goes, its volumes stay.
    private func rollBack(
        _ failure: DriverError, _ folder: ComposeFolder, _ backup: String?, _ variables: ComposeVariables,
        hadFile: Bool, project: String, _ context: ActionContext
    ) async -> DriverError {
        context.progress("going back to the file before")
        // The deadline of the deployment must not cut its undoing in two.
        let undone = await Task { () -> DriverError? in
            do throws(DriverError) {
                let run = try await self.run(project, file: folder.file, variables)
                if !hadFile { try await run.run(["down"], deadline: .seconds(300)) }
                try folder.restore(backup)
                try folder.write(variables)
                guard hadFile else { return nil }
                // What it mounts may be another's by now.
                let before = try await self.effective(run).file
                _ = try await self.admitting(before, project) { () async throws(DriverError) in
                    try await run.run(["up", "-d", "--remove-orphans"], deadline: .seconds(300))
                }
                return nil
            } catch { return error }
        }.value
        await roster.forget()
        if let undone {
            return DriverError(
                failure.code, "\(failure.message); going back failed too: \(undone.message)",
                retryable: failure.retryable,
                cause: [failure.cause, undone.cause].compactMap(\.self).joined(separator: " | ")
            ).afterChange()
        }
        return DriverError(
            failure.code,
            "\(failure.message); \(hadFile ? "the project is back on its old file" : "the project was removed again")",
            retryable: failure.retryable, cause: failure.cause)
    }
}

/// A folder with a registry's login, for as long as it is needed.
private final class LoginFolder: Sendable {
    let path: String

    init(_ login: JSONObject) throws(DriverError) {
        var template = Array("/tmp/innkeeper-login-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system("cannot make a folder for the login") }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let file = open("\(path)/config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        let bytes = JSONValue.object(login).encoded
        let count = file < 0 ? -1 : bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        let error = DriverError.system("cannot write the login")
        if file >= 0 { close(file) }
        if count != bytes.count {
            remove()
            throw error
        }
    }

    deinit { remove() }

    private func remove() {
        unlink("\(path)/config.json")
        rmdir(path)
    }
}
