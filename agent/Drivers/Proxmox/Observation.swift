package import DriverKit
import Model
package import WireProtocol

/// What is there, from files alone: no tool is started for it, whose start would take most of a second each time.
extension ProxmoxDriver {
    package func facts() async -> JSONObject {
        var facts: JSONObject = ["node": .string(files.node), "version": .string(version)]
        if let cluster = try? await files.aside({ $0.cluster() }) {
            facts["cluster"] = cluster.name.map { .string($0) }
            facts["quorate"] = .bool(cluster.isQuorate)
            facts["nodes"] = .array(cluster.nodes.map { .string($0) })
        }
        let sections = (try? await files.aside { $0.storageSections() }) ?? SectionFile("")
        // Without the cluster's file nobody knows what else may lie on them.
        let isTold = !sections.sections.isEmpty
        if let found = try? await storages(content: isTold ? nil : "rootdir") {
            facts["storages"] = .array(
                found.filter { !$0.isDisabled }.map { storage in
                    var json = storage.json
                    json["contents"] = sections[storage.name].map { .array($0.contents.map { .string($0) }) }
                    json["shared"] = .bool(SharedStorages.names(in: sections).contains(storage.name))
                    return .object(json)
                })
        }
        if let names = (try? await files.aside { $0.templates(sections) }) ?? nil {
            facts["templates"] = .array(names.map { .string($0) })
        }
        if let names = (try? await files.aside { $0.interfaces() }) ?? nil {
            facts["interfaces"] = .array(names.map { .string($0) })
        }
        return facts
    }

    package func inventory() async throws(DriverError) -> [InventoryItem] {
        let found = try await files.aside { files -> [(Guest, GuestFigures?)]? in
            let figures = Dictionary(files.running().map { ($0.vmid, $0) }) { $1 }
            return files.guests()?.map { ($0, figures[$0.vmid]) }
        }
        guard let found else { throw Self.clusterIsAway }
        return found.map { guest, figures in
            var state = guest.json
            for (name, value) in figures?.values ?? [] { state[name] = value.map { .integer($0) } }
            return InventoryItem(resource: "proxmox/ct/\(guest.vmid)", state: state)
        }
    }

    package func sample(into batch: inout SampleBatch) async {
        for guest in files.running() {
            let name = "proxmox/ct/\(guest.vmid)"
            batch.append("\(name).cpu.seconds", guest.processorMicroseconds.map { Double($0) / 1_000_000 })
            batch.append("\(name).memory.used", guest.memory.map(Double.init))
            batch.append("\(name).processes", guest.processes.map(Double.init))
            batch.append("\(name).io.read", guest.read.map(Double.init))
            batch.append("\(name).io.written", guest.written.map(Double.init))
            batch.append("\(name).network.received", guest.received.map(Double.init))
            batch.append("\(name).network.sent", guest.sent.map(Double.init))
        }
    }

    package func usage() async -> [UsageCounter] {
        files.running().flatMap { guest in
            let meters = [
                ("cpu_ms", guest.processorMicroseconds.map { $0 / 1000 }), ("network_rx_bytes", guest.received),
                ("network_tx_bytes", guest.sent),
            ]
            return meters.compactMap { meter, value in
                value.map {
                    UsageCounter(subject: "proxmox/ct/\(guest.vmid)", meter: meter, epoch: guest.epoch, value: $0)
                }
            }
        }
    }
}
