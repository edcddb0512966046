package import DriverKit
import Model
import Synchronization
import WireProtocol

/// Virtual machines of a libvirt host: what they are in, and their logs. It changes nothing, and its connection could not.
package final class LibvirtDriver: Driver {
    package static let name = "libvirt"

    package let version: String
    package let concurrency = 4
    let tools: LibvirtTools
    let observed = Mutex(LibvirtObservation())

    package init(tools: LibvirtTools, version: String) {
        (self.tools, self.version) = (tools, version)
    }

    /// The driver, where the node has `virsh`. The daemon need not run: the logs of a dead one are worth reading.
    package static func detect(_ tools: LibvirtTools? = .installed()) async -> LibvirtDriver? {
        guard let tools, let version = await tools.version() else { return nil }
        return LibvirtDriver(tools: tools, version: version)
    }

    package var actions: [ActionSpec] { Self.table.map { $0.spec.named(by: ["vm": "libvirt/{vm}"]) } }

    package func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        try await Self.table.perform(call, on: self, context)
    }

    private static let table = rows.taking(arguments)

    private static let rows: [Action<LibvirtDriver>] = [
        Action(ActionSpec("vm.list", .observe, summary: "lists the virtual machines with their states")) {
            driver, call, _ throws(DriverError) in try await driver.listMachines(call)
        },
        Action(ActionSpec("vm.state", .observe, summary: "tells the state of one virtual machine")) {
            driver, call, _ throws(DriverError) in try await driver.tellState(call)
        },
        Action(ActionSpec("vm.logs", .observe, summary: "sends the log of one virtual machine", givesBytes: true)) {
            driver, call, context throws(DriverError) in try await driver.sendMachineLog(call, context)
        },
        Action(
            ActionSpec("daemon.logs", .observe, summary: "sends the log of libvirt's daemon", givesBytes: true)
        ) {
            driver, call, context throws(DriverError) in try await driver.sendDaemonLog(call, context)
        },
    ]
}
