package import DriverKit
import Model
import Synchronization
package import WireProtocol

/// What was last seen of the virtual machines.
struct LibvirtObservation: Sendable {
    private var states: [MachineID: MachineState]?
    /// Of the last look.
    private(set) var hasFailed = false

    var running: Double? { states.map { Double($0.values.count { $0.word == "running" }) } }
    var all: Double? { states.map { Double($0.count) } }

    /// Takes in a look; gives the machines that are in another state than at the last one. The first look gives none.
    mutating func update(_ machines: [Machine]) -> [(machine: Machine, before: MachineState?)] {
        let known = states
        hasFailed = false
        states = Dictionary(machines.map { ($0.id, $0.state) }) { $1 }
        guard let known else { return [] }
        return machines.filter { known[$0.id] != $0.state }.map { ($0, known[$0.id]) }
    }

    mutating func fail() { (states, hasFailed) = (nil, true) }
}

extension LibvirtDriver {
    static let lookInterval = Duration.seconds(60)

    package func absence() async -> String? {
        observed.withLock(\.hasFailed) ? "virsh gets no answer from libvirt's daemon" : nil
    }

    package func facts() async -> JSONObject {
        guard let machines = try? await machines() else { return ["answers": false] }
        return ["answers": true, "vms": .integer(Int64(machines.count))]
    }

    package func inventory() async throws(DriverError) -> [InventoryItem] {
        try await machines().map { InventoryItem(resource: "libvirt/\($0.id.text)", state: $0.json) }
    }

    package func sample(into batch: inout SampleBatch) async {
        let (running, all) = observed.withLock { ($0.running, $0.all) }
        batch.append("libvirt.vms.running", running)
        batch.append("libvirt.vms.defined", all)
    }

    /// Looks at the machines each minute, for samples and to report those whose state has changed.
    package func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        while !Task.isCancelled {
            for event in await lookAround() { emit(event) }
            try? await Task.sleep(for: Self.lookInterval)
        }
    }

    func lookAround() async -> [DriverEvent] {
        guard let machines = try? await machines() else {
            observed.withLock { $0.fail() }
            return []
        }
        return observed.withLock { $0.update(machines) }.map { machine, before in
            var data = machine.json
            data["before"] = before.map { .string($0.word) }
            return DriverEvent(
                time: .now(), resource: "libvirt/\(machine.id.text)", kind: "vm.state", data: data)
        }
    }
}
