import DriverKit
import Model
import WireProtocol

/// What has become of a release after Helm worked on it.
extension HelmDriver {
    /// The revision that is in force now.
    ///
    /// The look happens in a task of its own: the caller may have been cancelled, and still has to know what there is.
    /// - Parameters:
    ///   - before: the last revision before the work.
    ///   - failure: what Helm said.
    ///   - goal: the revision that the work was to go back to.
    /// - Throws: when the release is not what was asked for, with what is known of it.
    func judge(
        _ release: ReleaseID, since before: ReleaseRevision?, _ failure: DriverError?, goal: Int64? = nil,
        _ secrets: SecretWords, _ context: ActionContext
    ) async throws(DriverError) -> ReleaseRevision {
        let looked = await Task { () -> Result<[ReleaseRevision], DriverError> in
            do throws(DriverError) { return .success(try await self.history(of: release, within: .seconds(10))) } catch
            {
                return .failure(error)
            }
        }.value
        guard case .success(let history) = looked else {
            // Nobody can tell whether Helm came to write anything down.
            orphaned.add(release.resource)
            throw DriverError(
                .unknownOutcome, "helm worked on the release, and what became of it cannot be seen", retryable: true,
                cause: failure?.told
            ).afterChange()
        }
        guard let last = history.last, last.number > before?.number ?? 0 || last.status.isPending else {
            throw unchanged(release, before, history.last, failure)
        }
        let error = verdict(release, last, failure, goal)
        if error?.code == .failed { await explain(release, context, secrets) }
        if let error { throw error.afterChange() }
        orphaned.remove(release.resource)
        return last
    }

    /// No new revision is there.
    private func unchanged(
        _ release: ReleaseID, _ before: ReleaseRevision?, _ last: ReleaseRevision?, _ failure: DriverError?
    ) -> DriverError {
        if last == nil, before == nil, let failure, failure.cause?.contains("has been uninstalled due to") == true {
            return DriverError(.failed, "the release failed and was removed again", cause: failure.cause)
        }
        let nothing = DriverError(.failed, "helm reported success, but release \(release.name) has no new revision")
        guard let failure else { return nothing }
        guard failure.code == .cancelled || failure.code == .unknownOutcome else { return failure }
        // Without a revision, Helm had not begun with the cluster's objects.
        return DriverError(
            failure.code == .cancelled ? .cancelled : .failed, "\(failure.message) before it had changed the release",
            retryable: true, cause: failure.cause)
    }

    /// What is wrong with the newest revision; nil when it is in force.
    private func verdict(
        _ release: ReleaseID, _ last: ReleaseRevision, _ failure: DriverError?, _ goal: Int64?
    ) -> DriverError? {
        let description = String(HelmFailure.scrubbed(last.description).prefix(300))
        if last.status.isPending {
            // The Helm of this call has ended: nobody works on it any more.
            orphaned.add(release.resource)
            return DriverError(
                .unknownOutcome,
                "\(failure?.message ?? "helm ended") while it worked; the release is \(last.status.word), and the next change frees it",
                retryable: true, cause: failure?.cause)
        }
        guard last.status == .deployed else {
            return DriverError(
                .failed, "release \(release.name) is \(last.status.word) at revision \(last.number)",
                retryable: failure?.retryable, cause: failure?.told ?? description)
        }
        guard let failure, let target = last.rolledBackTo, target != goal else { return nil }
        return DriverError(
            .failed, "the release failed and is back at what it was in revision \(target)", cause: failure.told)
    }
}

extension DriverError {
    /// Message and cause in one.
    var told: String { [message, cause ?? ""].filter { !$0.isEmpty }.joined(separator: ": ") }
}
