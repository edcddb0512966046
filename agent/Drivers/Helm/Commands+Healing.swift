import DriverKit
import Glibc
import Model
import WireProtocol

/// Releases that are pending. A Helm that dies leaves its release so for ever, and every other Helm refuses to touch it.
extension HelmDriver {
    func heal(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let release = try reader.release()
        let age = try reader.optionalInteger("min_age_s").map { Duration.seconds($0) }
        try reader.finish()
        try call.concerns(release)
        let (history, healed) = try await settled(release, after: age ?? Self.pendingPatience, context)
        let observed = history.last.map { release.described($0) } ?? release.absent
        return ActionOutcome(changed: healed, observed: observed)
    }

    /// The release's history, once it is not pending any more.
    /// - Parameter age: how long a release is left to whoever may work on it.
    /// - Throws: `busy` while somebody may be working on it.
    func settled(
        _ release: ReleaseID, after age: Duration = HelmDriver.pendingPatience, _ context: ActionContext
    ) async throws(DriverError) -> (history: [ReleaseRevision], healed: Bool) {
        let history = try await history(of: release)
        guard let last = history.last, last.status.isPending else { return (history, false) }
        try checkAbandoned(release, last, age)
        context.progress("release \(release.name) is \(last.status.word) and nobody works on it: freeing it")
        try await free(release, last, history)
        let end = try await self.history(of: release)
        if let now = end.last, now.status.isPending || now.number == last.number {
            throw DriverError(
                .failed, "release \(release.name) is \(now.status.word) after it was freed", retryable: true
            ).afterChange()
        }
        orphaned.remove(release.resource)
        return (end, true)
    }

    /// Whether nobody works on a pending release: none of this node's processes, and none elsewhere for as long as can be told.
    func checkAbandoned(_ release: ReleaseID, _ last: ReleaseRevision, _ age: Duration) throws(DriverError) {
        if RunningHelm.all().contains(where: { $0.changes(release) }) {
            throw DriverError(.busy, "another helm on this node works on release \(release.name)")
        }
        if orphaned.has(release.resource) { return }
        guard let since = last.updated else { return }
        let waited = Timestamp.now() - since
        if waited < age {
            throw DriverError(
                .busy,
                "release \(release.name) has been \(last.status.word) for \(waited.components.seconds) s: somebody may be working on it",
                cause: "it counts as given up after \(age.components.seconds) s")
        }
    }

    /// Goes back to what was in force, or to what there was before; what never was anything is removed.
    private func free(
        _ release: ReleaseID, _ last: ReleaseRevision, _ history: [ReleaseRevision]
    ) async throws(DriverError) {
        let earlier = history.last { $0.number < last.number && $0.status == .failed }
        let place = ["--namespace", release.namespace, "--timeout", "300s"]
        let words: [String]
        if let target = history.lastInForce(before: last.number) ?? earlier {
            words = ["rollback"] + place + ["--history-max", "10", "--", release.name, "\(target.number)"]
        } else {
            words = ["uninstall"] + place + ["--", release.name]
        }
        do {
            try await tools.act(.helm, words)
        } catch {
            if error.code == .notFound { return }
            if error.code == .cancelled || error.code == .unknownOutcome {
                orphaned.add(release.resource)
                throw DriverError(
                    .unknownOutcome, "\(error.message) while it freed the release", retryable: true, cause: error.cause
                ).afterChange()
            }
            throw error.afterChange()
        }
    }
}

extension [ReleaseRevision] {
    /// What is deployed although a newer revision is pending; else the newest that once was.
    fileprivate func lastInForce(before number: Int64) -> ReleaseRevision? {
        last { $0.number < number && $0.status == .deployed } ?? lastGood(before: number)
    }
}

/// A process of this node that looks like Helm.
struct RunningHelm: Sendable {
    let words: [String]

    /// Whether it may be changing the release.
    func changes(_ release: ReleaseID) -> Bool {
        let verbs: Set<String> = ["install", "upgrade", "uninstall", "delete", "rollback"]
        guard !verbs.isDisjoint(with: words), words.contains(release.name) else { return false }
        // Without a word on the namespace it can be any.
        let spoken = words.contains { $0 == "-n" || $0.hasPrefix("--namespace") }
        return !spoken || words.contains(release.namespace) || words.contains("--namespace=\(release.namespace)")
    }

    static func all() -> [RunningHelm] {
        (NodeFolder.names(in: "/proc") ?? []).compactMap { name in
            guard Int32(name) != nil, let words = commandLine("/proc/\(name)/cmdline") else { return nil }
            // A script has its interpreter in front.
            let isHelm = words.prefix(2).contains { $0 == "helm" || $0.hasSuffix("/helm") }
            return isHelm ? RunningHelm(words: words) : nil
        }
    }

    private static func commandLine(_ path: String) -> [String]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(file, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return bytes[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
