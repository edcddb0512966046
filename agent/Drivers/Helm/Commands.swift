import DriverKit
import Model
import WireProtocol

/// Looking: what releases are there, and what they are in.
extension HelmDriver {
    func listReleases(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let namespace = try reader.optionalString("namespace")
        try reader.finish()
        return .seen(["releases": .array(try await releases(in: namespace).map { .object($0.json) })])
    }

    func tellStatus(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let release = try reader.release()
        try reader.finish()
        let history = try await history(of: release)
        guard let last = history.last else { return .seen(release.absent) }
        var observed = release.described(last)
        observed["first_deployed"] = history.first?.updated.map { .string($0.iso8601) }
        observed["hooks"] = .array(try await hooks(of: release).map { .object($0.json) })
        return .seen(observed)
    }

    func tellHistory(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let release = try reader.release()
        try reader.finish()
        let revisions = try await history(of: release)
        return .seen([
            "namespace": .string(release.namespace), "release": .string(release.name),
            "revisions": .array(revisions.map { .object($0.json) }),
        ])
    }

    func tellReadiness(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let release = try reader.release()
        let patience = try reader.integer("timeout_s")
        let needsAddress = try reader.bool("ingress_address")
        try reader.finish()
        guard let last = try await history(of: release).last else {
            throw DriverError(.notFound, "there is no release \(release.name) in \(release.namespace)")
        }
        let readiness =
            patience == 0
            ? try await readiness(of: release, needsAddress: needsAddress)
            : try await wait(for: release, .seconds(patience), needsAddress: needsAddress, context)
        return .seen(release.described(last, readiness))
    }

    /// All releases, whatever they are in. Helm cuts its list silently, so it is asked page by page.
    func releases(in namespace: String? = nil) async throws(DriverError) -> [ListedRelease] {
        let scope = namespace.map { ["--namespace", $0] } ?? ["--all-namespaces"]
        var found: [ListedRelease] = []
        while true {
            let range = ["--max", "\(Self.page)", "--offset", "\(found.count)"]
            let output = try await tools.look(.helm, ["list", "--all", "--output", "json"] + scope + range)
            let more = try ListedRelease.parse(output)
            found += more
            if more.count < Self.page || found.count >= 10_000 { return found }
        }
    }

    private static var page: Int { 256 }

    /// Oldest first; none when there is no such release.
    func history(of release: ReleaseID, within limit: Duration? = nil) async throws(DriverError) -> [ReleaseRevision] {
        do {
            return try ReleaseRevision.parse(
                try await tools.look(
                    .helm,
                    [
                        "history", "--namespace", release.namespace, "--output", "json", "--max", "256", "--",
                        release.name,
                    ],
                    within: limit))
        } catch  where error.code == .notFound {
            return []
        }
    }

    func hooks(of release: ReleaseID) async throws(DriverError) -> [ReleaseHook] {
        let words = ["status", "--namespace", release.namespace, "--output", "json", "--", release.name]
        return try ReleaseHook.parse(try await tools.look(.helm, words))
    }

    /// The values that the release was given, with their secrets: for comparing, and for nothing else.
    func values(of release: ReleaseID) async throws(DriverError) -> JSONValue {
        let words = ["get", "values", "--namespace", release.namespace, "--output", "json", "--", release.name]
        let values = try JSONValue(helm: try await tools.look(.helm, words))
        return values.isNull ? [:] : values
    }

    /// Everything in a namespace that can belong to a release.
    func objects(in namespace: String) async throws(DriverError) -> [ClusterObject] {
        try await list(ReleaseObjects.kinds, in: namespace)
    }

    func list(
        _ kinds: String, in namespace: String, _ options: [String] = []
    ) async throws(DriverError) -> [ClusterObject] {
        let words = ["get", "--namespace", namespace, "--request-timeout=30s", "--output=json"]
        let output = try await tools.look(.kubectl, words + options + ["--", kinds])
        guard let items = try JSONValue(helm: output)["items"]?.asArray else { throw .unreadable("kubectl get") }
        return items.map { ClusterObject(json: $0) }
    }

    func readiness(of release: ReleaseID, needsAddress: Bool) async throws(DriverError) -> Readiness {
        let hooks = try await hooks(of: release)
        let objects = ReleaseObjects(of: release, in: try await objects(in: release.namespace))
        return Readiness(objects: objects, hooks: hooks, needsAddress: needsAddress)
    }

    /// Looks until the release is ready. A cluster that does not answer for a while is asked again.
    /// - Throws: `timedOut` or `unavailable` at the end of the time, `failed` when something will not become ready by itself.
    func wait(
        for release: ReleaseID, _ limit: Duration, needsAddress: Bool, _ context: ActionContext
    ) async throws(DriverError) -> Readiness {
        let end = ContinuousClock.now + limit
        var said: [String] = []
        while true {
            let problem: DriverError
            do throws(DriverError) {
                let readiness = try await readiness(of: release, needsAddress: needsAddress)
                if readiness.isReady { return readiness }
                let problems = readiness.problems
                if let failure = readiness.failure {
                    throw DriverError(.failed, "the release will not become ready: \(failure)", cause: problems.told)
                }
                if problems != said { context.progress("waiting for \(problems.told)") }
                said = problems
                problem = DriverError(
                    .timedOut, "the release was not ready within \(limit.components.seconds) s", cause: problems.told)
            } catch {
                guard error.code == .unavailable || error.code == .timedOut else { throw error }
                problem = error
            }
            guard ContinuousClock.now + pause < end else { throw problem }
            do { try await Task.sleep(for: pause) } catch {
                throw DriverError(.cancelled, "stopped while it waited for the release", cause: said.told)
            }
        }
    }
}

extension ReleaseID {
    private var words: JSONObject { ["namespace": .string(namespace), "release": .string(name)] }

    var absent: JSONObject {
        var object = words
        object["present"] = false
        return object
    }

    func described(_ revision: ReleaseRevision, _ readiness: Readiness? = nil) -> JSONObject {
        var object = words
        object["present"] = .bool(revision.status != .uninstalled)
        for member in revision.json.members + (readiness?.json.members ?? []) { object[member.key] = member.value }
        return object
    }
}

extension [String] {
    /// As much of it as fits a sentence.
    var told: String {
        let shown = prefix(8).map { String($0.prefix(200)) }.joined(separator: "; ")
        return count > 8 ? "\(shown); and \(count - 8) more" : shown
    }
}
