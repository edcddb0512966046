import DriverKit
import ZFSDriver

/// The drivers of this build, found by looking at the machine.
enum NodeDrivers {
    static let names = [ZFSDriver.name]

    static func detect(_ configuration: AgentConfiguration) async -> [any Driver] {
        func wants(_ name: String) -> Bool { configuration.drivers?.contains(name) ?? true }
        var found: [any Driver] = []
        if wants(ZFSDriver.name), let driver = await ZFSDriver.detect() { found.append(driver) }
        return found
    }
}
