import DriverKit
import WireProtocol

extension HostDriver {
    /// Drives, ports, packages and versions.
    static let machineTable: [Action<HostDriver>] = [
        Action(ActionSpec("drive.list", .observe, summary: "lists the drives with model, serial number and size")) {
            driver, call, _ throws(DriverError) in try await driver.listDrives(call)
        },
        Action(
            ActionSpec("drive.statistics", .observe, summary: "tells what the drives have done since the boot")
        ) {
            driver, call, _ throws(DriverError) in try await driver.tellDriveStatistics(call)
        },
        Action(
            ActionSpec(
                "drive.health", .observe, defaultDeadline: .seconds(300), summary: "tells the drives' health by SMART")
        ) { driver, call, _ throws(DriverError) in try await driver.tellDriveHealth(call) },
        Action(ActionSpec("port.list", .observe, summary: "lists listening ports with their processes")) {
            driver, call, _ throws(DriverError) in try await driver.listPorts(call)
        },
        Action(
            ActionSpec(
                "update.list", .observe, defaultDeadline: .seconds(150), summary: "lists pending package updates")
        ) { driver, call, _ throws(DriverError) in try await driver.listUpdates(call) },
        Action(ActionSpec("reboot.status", .observe, summary: "tells whether the machine wants to be restarted")) {
            driver, call, _ throws(DriverError) in try await driver.tellReboot(call)
        },
        Action(ActionSpec("version.list", .observe, summary: "tells kernel, system and versions of tools")) {
            driver, call, _ throws(DriverError) in try await driver.tellVersions(call)
        },
    ]

    /// Logs, as output: one JSON object a line.
    static let logTable: [Action<HostDriver>] = [
        Action(
            ActionSpec(
                "journal.query", .observe, defaultDeadline: .seconds(3600), summary: "streams entries of the journal",
                lasting: true, givesBytes: true)
        ) { driver, call, context throws(DriverError) in try await driver.queryJournal(call, context) },
        Action(
            ActionSpec(
                "log.query", .observe, defaultDeadline: .seconds(3600), summary: "streams lines of a syslog file",
                lasting: true, givesBytes: true)
        ) { driver, call, context throws(DriverError) in try await driver.queryFile(call, context) },
    ]
}
