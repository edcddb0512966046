import DriverKit
import Logging
import Processes
import TestSupport
import WireProtocol
import ZFSDriver

/// The driver on the real pool of this test process, and a dataset name that no other test has.
struct RealPool {
    let zfs: ZFSFuse
    let driver: ZFSDriver
    /// A dataset that is not there yet.
    let dataset: String

    init() async throws {
        zfs = try await ZFSFuse.shared()
        let tools = ZFSTools(zfs: zfs.launcher + ["/usr/sbin/zfs"], zpool: zfs.launcher + ["/usr/sbin/zpool"])
        driver = ZFSDriver(tools: tools, version: "test", root: zfs.path(""))
        dataset = "\(zfs.pool)/innkeeper/svc\(UInt32.random(in: 0 ... .max))"
    }

    var context: ActionContext { ActionContext(commandID: "test", logger: Logger(label: "test")) }

    func perform(
        _ operation: String, _ arguments: JSONObject, on resource: String? = nil
    ) async throws(DriverError) -> ActionOutcome {
        let call = ActionCall(action: operation, resource: resource ?? "zfs/\(dataset)", arguments: arguments)
        return try await driver.perform(call, context)
    }

    @discardableResult
    func ensure(_ more: JSONObject = [:]) async throws(DriverError) -> ActionOutcome {
        var arguments: JSONObject = ["dataset": .string(dataset)]
        for member in more.members { arguments[member.key] = member.value }
        return try await perform("dataset.ensure", arguments)
    }

    @discardableResult
    func snapshot(_ name: String) async throws(DriverError) -> ActionOutcome {
        try await perform("dataset.snapshot", ["dataset": .string(dataset), "snapshot": .string(name)])
    }

    /// What the tool itself says of a property, to check the driver by.
    func get(_ property: String, of name: String? = nil) async throws -> String {
        let outcome = try await zfs.command("/usr/sbin/zfs", "get", "-Hp", "-o", "value", property, name ?? dataset)
        return String(outcome.outputText.split(separator: "\n").first ?? "")
    }

    /// Removes a dataset by the tool itself, as soon as nobody looks at it. False when it does not go.
    func destroys(_ name: String) async throws -> Bool {
        for _ in 0..<100 {
            if try await zfs.command("/usr/sbin/zfs", "destroy", "-r", name).succeeded { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }
}
