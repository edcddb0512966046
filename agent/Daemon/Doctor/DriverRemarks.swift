import AgentCore
import DaemonKit
import DriverKit
import Glibc
import SwagDriver

/// Which drivers the machine gives work to, what they lack, and why the others have none.
enum DriverRemarks {
    private static let patience = Duration.seconds(30)

    /// - Parameter process: the running agent; nil when none runs.
    static func examine(_ configuration: AgentConfiguration, data: String, process: Int32?) async -> [Remark] {
        guard
            let found = await within(
                patience, { await NodeDrivers.detect(NodeDrivers.sources(configuration, data: data)) })
        else {
            return [
                .wrong(
                    "drivers", "looking for them took more than \(patience.components.seconds) seconds",
                    advice: "see which tool of this machine hangs: docker info, zpool list, pct list")
            ]
        }
        let byName = Dictionary(found.map { (type(of: $0).name, $0) }) { first, _ in first }
        var remarks: [Remark] = []
        for name in NodeDrivers.names {
            if let driver = byName[name] {
                remarks += await present(driver, name, configuration.settings.policy)
            } else {
                remarks.append(absent(name, configuration))
            }
        }
        return remarks + ConfinementRemarks.examine(process, Set(byName.keys))
    }

    private static func present(_ driver: any Driver, _ name: String, _ policy: Policy) async -> [Remark] {
        let subject = "driver \(name)"
        let allowed = driver.actions.count { policy.mayAllow("\(name).\($0.name)") }
        let actions = "the policy allows \(allowed) of \(driver.actions.count) actions"
        guard let needs = await within(patience, { await driver.needs() }) else {
            let text = "looking at what it needs took more than \(patience.components.seconds) seconds"
            return [.wrong(subject, text, advice: "see what of it hangs; \(actions)")]
        }
        let lacks = needs.compactMap { lack(subject, $0) }
        let sum = lacks.isEmpty ? "" : ", but lacks what follows"
        // SWAG does not say its version; it never counts as a lack.
        let version = driver is SwagDriver ? "" : ", version \(driver.version)"
        return [.good(subject, "found\(version); \(actions)\(sum)")] + lacks
    }

    private static func lack(_ subject: String, _ need: Need) -> Remark? {
        guard let problem = need.problem else { return nil }
        let text = "\(problem); needed for \(need.purpose)"
        return need.isVital
            ? .wrong(subject, text, advice: need.advice) : .note(subject, text, advice: need.advice)
    }

    /// A driver that the configuration asks for must be there; another one is absent because the machine has no use for it.
    private static func absent(_ name: String, _ configuration: AgentConfiguration) -> Remark {
        guard configuration.drivers?.contains(name) ?? true else {
            return .good("driver \(name)", "not wanted by the configuration")
        }
        let sign = DriverSign.of(name, configuration)
        let remedy = sign.isThere ? DriverSign.remedies[name] : nil
        guard configuration.drivers != nil else {
            return .note("driver \(name)", "not used: \(sign.reason)", advice: remedy)
        }
        return .wrong(
            "driver \(name)", "wanted by the configuration, but \(sign.reason)",
            advice: remedy ?? "install and start it, or take it out of \"drivers\"")
    }

    /// What the work gives, or nil when it took too long; it is then left behind.
    private static func within<Value: Sendable>(
        _ limit: Duration, _ work: @escaping @Sendable () async -> Value
    ) async -> Value? {
        let (answers, feed) = AsyncStream.makeStream(of: Value.self)
        let working = Task {
            feed.yield(await work())
            feed.finish()
        }
        let waiting = Task {
            try? await Task.sleep(for: limit)
            feed.finish()
        }
        defer {
            working.cancel()
            waiting.cancel()
        }
        for await value in answers { return value }
        return nil
    }
}
