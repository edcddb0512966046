package import DriverKit
import Logging
import Model
import Synchronization
import WireProtocol

/// The machine itself, and the containers on it, read straight from `/proc` and the control groups; what no file tells
/// is asked of `smartctl`, `journalctl` and `apt-get`. Nothing here changes the machine.
package final class HostDriver: Driver {
    /// A kind of container that this driver counts.
    package enum Containers: String, Sendable, Hashable, CaseIterable {
        case docker, lxc
    }

    package static let name = "host"

    /// Release of the kernel.
    package let version: String
    package let concurrency = 4
    let state: Mutex<HostState>
    let root: String
    let tools: HostTools

    /// - Parameters:
    ///   - root: what stands in front of `/proc` and `/sys`; empty on a real machine.
    ///   - counting: the containers to count; those that another driver counts are left to it.
    ///   - tools: the programs that are asked for what no file tells.
    package init(
        root: String = "", counting: Set<Containers> = Set(Containers.allCases), tools: HostTools = HostTools()
    ) {
        let files = SystemFiles(root: root)
        version = files.text("/proc/sys/kernel/osrelease") ?? "unknown"
        state = Mutex(HostState(SystemFiles(root: root), counting))
        self.root = root
        self.tools = tools
    }

    /// Leaves containers to a driver that was found later: what two drivers count would be seen, and stored, twice.
    package func leave(_ containers: Containers) { state.withLock { $0.leave(containers) } }

    package var actions: [ActionSpec] { Self.table.map(\.spec) }

    package func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        try await Self.table.perform(call, on: self, context)
    }

    private static let table = (baseTable + machineTable + logTable).taking(arguments)

    private static let baseTable: [Action<HostDriver>] = [
        Action(ActionSpec("system.info", .observe, summary: "tells processors, memory, system and uptime")) {
            driver, call, _ throws(DriverError) in try driver.tellSystem(call)
        },
        Action(
            ActionSpec("filesystem.list", .observe, summary: "lists the file systems on disks with their room")
        ) {
            driver, call, _ throws(DriverError) in try driver.listFilesystems(call)
        },
        Action(ActionSpec("container.list", .observe, summary: "lists running containers with what they use")) {
            driver, call, _ throws(DriverError) in try driver.listContainers(call)
        },
    ]
}
