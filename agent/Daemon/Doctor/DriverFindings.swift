import AgentCore
import DaemonKit
import DriverKit
import Glibc

/// Which drivers the machine gives work to, and why the others have none.
enum DriverFindings {
    private static let patience = Duration.seconds(30)

    static func examine(_ configuration: AgentConfiguration) async -> [Finding] {
        guard let found = await within(patience, { await NodeDrivers.detect(configuration) }) else {
            return [
                .wrong(
                    "drivers", "looking for them took more than \(patience.components.seconds) seconds",
                    advice: "see which tool of this machine hangs: docker info, zpool list, pct list")
            ]
        }
        let byName = Dictionary(found.map { (type(of: $0).name, $0) }) { first, _ in first }
        return NodeDrivers.names.map { name in
            byName[name].map { present($0, name, configuration.settings.policy) } ?? absent(name, configuration)
        }
    }

    private static func present(_ driver: any Driver, _ name: String, _ policy: Policy) -> Finding {
        let allowed = driver.operations.count { policy.mayAllow("\(name).\($0.name)") }
        let operations = "the policy allows \(allowed) of \(driver.operations.count) operations"
        guard driver.version != "unknown" else {
            let text = "found, but it does not say its version; \(operations)"
            return .note("driver \(name)", text, advice: "see that its service runs and answers")
        }
        return .good("driver \(name)", "version \(driver.version); \(operations)")
    }

    /// A driver that the configuration asks for must be there; another one is absent because the machine has no use for it.
    private static func absent(_ name: String, _ configuration: AgentConfiguration) -> Finding {
        guard configuration.drivers?.contains(name) ?? true else {
            return .good("driver \(name)", "not wanted by the configuration")
        }
        let reason = DriverSign.of(name, configuration).reason
        guard configuration.drivers != nil else { return .note("driver \(name)", "not used: \(reason)") }
        return .wrong(
            "driver \(name)", "wanted by the configuration, but \(reason)",
            advice: "install and start it, or take it out of \"drivers\"")
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
