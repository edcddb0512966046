import DriverKit
import Model
import WireProtocol

/// Removing releases.
extension HelmDriver {
    func uninstall(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let release = try reader.release()
        let waits = try reader.bool("wait")
        let seconds = try reader.integer("timeout_s")
        try reader.finish()
        try call.concerns(release)
        guard let last = try await history(of: release).last else {
            return ActionOutcome(changed: false, observed: try await remains(of: release))
        }
        // Helm removes a pending release as well, under the hands of whoever works on it.
        if last.status.isPending { try checkAbandoned(release, last, Self.pendingPatience) }
        context.progress("removing \(release.name)")
        let words =
            ["uninstall", "--namespace", release.namespace, "--timeout", "\(seconds)s"] + (waits ? ["--wait"] : [])
        try await remove(release, words + ["--", release.name])
        orphaned.remove(release.resource)
        return ActionOutcome(changed: true, observed: try await remains(of: release))
    }

    /// Removes until nothing is left of the history. A removal that some object withstood leaves the release
    /// `uninstalling`, and can be repeated.
    private func remove(_ release: ReleaseID, _ words: [String]) async throws(DriverError) {
        var failure: DriverError?
        for attempt in 1...3 {
            failure = await self.failure { () throws(DriverError) in try await self.tools.act(.helm, words) }
            let looked = await Task { () -> Result<[ReleaseRevision], DriverError> in
                do throws(DriverError) {
                    return .success(try await self.history(of: release, within: .seconds(10)))
                } catch {
                    return .failure(error)
                }
            }.value
            guard case .success(let history) = looked else {
                throw DriverError(
                    .unknownOutcome, "helm worked on the removal, and what became of it cannot be seen",
                    retryable: true, cause: failure?.told
                ).afterChange()
            }
            if history.isEmpty { return }
            let isStuck = history.last?.status == .uninstalling && failure?.code != .cancelled
            guard isStuck, attempt < 3, (try? await Task.sleep(for: pause)) != nil else { break }
        }
        let error = failure ?? DriverError(.failed, "helm reported success", retryable: true)
        throw DriverError(
            error.code == .cancelled ? .unknownOutcome : error.code,
            "release \(release.name) is there after its removal: \(error.message)", retryable: true, cause: error.cause
        ).afterChange()
    }

    /// What the removal of a release leaves: claims of its sets, with their data.
    private func remains(of release: ReleaseID) async throws(DriverError) -> JSONObject {
        var observed = release.absent
        let left = try? await list(
            "persistentvolumeclaims", in: release.namespace,
            ["--selector", "app.kubernetes.io/instance=\(release.name)"])
        if let left { observed["claims_left"] = .array(left.map { .string($0.name) }) }
        return observed
    }
}
