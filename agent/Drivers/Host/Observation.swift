import CLinux
package import DriverKit
import Synchronization
package import WireProtocol

/// Reading these files never waits for a device or a network, so none of this needs a thread of its own.
extension HostDriver {
    /// What placement reckons with: processors, memory, and the room on the disks.
    package func facts() async -> JSONObject {
        var facts = systemInformation()
        facts["uptime_seconds"] = nil
        let room = state.withLock { state in state.diskMounts().compactMap { state.room(of: $0.path) } }
        facts["disk_bytes"] = .integer(Int64(clamping: room.reduce(0) { $0 &+ $1.total_bytes }))
        return facts
    }

    /// The containers that nobody else knows of, and the machine itself.
    package func inventory() async throws(DriverError) -> [InventoryItem] {
        state.withLock { state in
            state.runningContainers().map {
                InventoryItem(resource: $0.resource, state: $0.json(state.cgroups, state.files))
            }
        } + [InventoryItem(resource: "host", state: systemInformation())]
    }

    package func sample(into batch: inout SampleBatch) async {
        state.withLock { $0.sample(into: &batch) }
    }

    package func usage() async -> [UsageCounter] {
        state.withLock { state in
            state.runningContainers().flatMap { $0.counters(state.cgroups, state.files) }
        }
    }
}
