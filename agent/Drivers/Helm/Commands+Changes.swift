import DriverKit
import Model
import WireProtocol

/// Changing releases. Whatever Helm says of its work, the history of the release has the last word.
extension HelmDriver {
    func install(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        try await fulfil(call, context) { release, last throws(DriverError) in
            guard last?.status == .deployed else { return }
            throw DriverError(
                .conflict, "release \(release.name) is there with another chart or other values: upgrade it")
        }
    }

    func upgrade(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        try await fulfil(call, context) { release, last throws(DriverError) in
            guard last == nil || last?.status == .uninstalled else { return }
            throw DriverError(.notFound, "there is no release \(release.name) in \(release.namespace)")
        }
    }

    /// Gives the release the chart and the values of the call, unless it has them.
    /// - Parameter mayChange: throws when this call must not change what is there.
    private func fulfil(
        _ call: ActionCall, _ context: ActionContext,
        mayChange: (ReleaseID, ReleaseRevision?) throws(DriverError) -> Void
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let release = try reader.release()
        let spec = try ReleaseSpec(&reader, call.secrets, tools.chartSources)
        try reader.finish()
        try call.concerns(release)
        let secrets = SecretWords(call.secrets)
        let chart = try await identify(spec.chart)
        let (history, healed) = try await settled(release, context)
        var values = spec.values
        if spec.keepsValues, !history.isEmpty { values = try await self.values(of: release).overlaid(with: values) }
        if !spec.always, let last = history.last, last.status == .deployed, last.chart == chart.word,
            try await self.values(of: release).plain == values.plain
        {
            return try await finish(release, last, changed: healed, spec.waiting, secrets, context)
        }
        try mayChange(release, history.last)
        if history.last?.status == .uninstalling {
            throw DriverError(.conflict, "release \(release.name) is half removed: uninstall it again first")
        }
        let isThere = !history.isEmpty && history.last?.status != .uninstalled
        try await admit(spec, values, chart, of: release, isUpgrade: isThere)
        context.progress("giving \(release.name) the chart \(chart.word)")
        // One that bears a mark keeps it; one that bears none gets one.
        let labels = try await isMarked(call) ? [] : call.mark?.labels(by: context.commandID) ?? []
        let failure = await failure { () throws(DriverError) in
            try await self.tools.act(
                .helm, self.words(for: release, spec, chart, labels), input: ReleaseSpec.file(values))
        }
        let last = try await judge(release, since: history.last, failure, secrets, context)
        return try await finish(release, last, changed: true, spec.waiting, secrets, context)
    }

    /// `--reset-values`, because Helm takes an empty set of values for the wish to keep the old ones.
    private func words(
        for release: ReleaseID, _ spec: ReleaseSpec, _ chart: ChartIdentity, _ labels: [String]
    ) -> [String] {
        ["upgrade", "--install", "--namespace", release.namespace, "--reset-values", "--values", "-"]
            + ["--history-max", "10", "--timeout", "\(spec.waiting.seconds)s"]
            + labels + (spec.createsNamespace ? ["--create-namespace"] : []) + (spec.atomic ? [dialect.atomic] : [])
            + spec.chart.options(version: spec.version(of: chart))
            + ["--", release.name, spec.chart.operand]
    }

    /// What the chart calls itself, so that the version that was looked at is the one that is used.
    private func identify(_ chart: ChartReference) async throws(DriverError) -> ChartIdentity {
        let words = ["show", "chart"] + chart.options(version: chart.version) + ["--", chart.operand]
        let found = try ChartIdentity.parse(try await tools.look(.helm, words, within: .seconds(120)))
        if let version = chart.version, found.version != version, "v\(found.version)" != version {
            throw DriverError(.notFound, "the chart \(chart.operand) is of version \(found.version), not \(version)")
        }
        return found
    }

    func rollBack(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let release = try reader.release()
        let wanted = try reader.optionalInteger("revision")
        let waiting = try ReleaseSpec.Patience(&reader)
        try reader.finish()
        try call.concerns(release)
        let secrets = SecretWords(call.secrets)
        let (history, healed) = try await settled(release, context)
        guard let last = history.last else {
            throw DriverError(.notFound, "there is no release \(release.name) in \(release.namespace)")
        }
        guard let target = wanted ?? history.lastGood(before: last.number)?.number else {
            throw DriverError(.notFound, "release \(release.name) has no earlier revision that was deployed")
        }
        if last.status == .deployed, last.number == target || last.rolledBackTo == target && wanted != nil {
            return try await finish(release, last, changed: healed, waiting, secrets, context)
        }
        guard history.contains(where: { $0.number == target }) else {
            throw DriverError(.notFound, "release \(release.name) has no revision \(target)")
        }
        context.progress("taking \(release.name) back to revision \(target)")
        // Helm's own choice would be the revision before, however that one went.
        let words = ["rollback", "--namespace", release.namespace, "--timeout", "\(waiting.seconds)s"]
        let failure = await failure { () throws(DriverError) in
            try await self.tools.act(
                .helm, words + ["--history-max", "10", "--", release.name, "\(target)"])
        }
        let end = try await judge(release, since: last, failure, goal: target, secrets, context)
        return try await finish(release, end, changed: true, waiting, secrets, context)
    }

    /// Waits, where asked, until what is deployed is ready, and says what is.
    private func finish(
        _ release: ReleaseID, _ last: ReleaseRevision, changed: Bool, _ waiting: ReleaseSpec.Patience,
        _ secrets: SecretWords, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        guard waiting.waits else { return ActionOutcome(changed: changed, observed: release.described(last)) }
        do throws(DriverError) {
            let readiness = try await wait(
                for: release, .seconds(waiting.seconds), needsAddress: waiting.needsAddress, context)
            return ActionOutcome(changed: changed, observed: release.described(last, readiness))
        } catch {
            if error.code == .failed || error.code == .timedOut { await explain(release, context, secrets) }
            throw changed ? error.afterChange() : error
        }
    }
}

extension HelmDriver {
    /// The error of a piece of work; nil when it succeeded.
    func failure(_ work: () async throws(DriverError) -> Void) async -> DriverError? {
        do throws(DriverError) {
            try await work()
            return nil
        } catch { return error }
    }
}

extension [ReleaseRevision] {
    /// The newest revision below a number that was in force once.
    func lastGood(before number: Int64) -> ReleaseRevision? {
        last { $0.number < number && ($0.status == .deployed || $0.status == .superseded) }
    }
}
