import ControllerCore
import ControllerEngine
import Model
import Store
import WireProtocol

/// WordPress sites in the containers of the nodes: what is sold, and what must be true of them in the end.
enum Sites {
    static func plan(gib: Int64) -> JSONObject {
        [
            "memory_bytes": .integer(gib << 30), "cores": .integer(gib), "disk_bytes": .integer(gib * 10 << 30),
            "domains": 1, "template": "local:vztmpl/debian-12.tar.zst", "storage": "pool", "network": "sites",
            "zone": "sites.example.org", "ha": "off", "backups": ["retention": 2, "storage": "backups"],
        ]
    }

    /// What a plan of sites refers to.
    static func setUp(_ engine: Engine, by requester: Requester) async throws {
        let now = Timestamp.now()
        if try await engine.store.integration(Outside.name) == nil {
            try await engine.store.insertIntegration(
                IntegrationRecord(name: Outside.name, kind: "model", settings: [:], createdAt: now, updatedAt: now))
        }
        _ = try await engine.operations.putNetwork(
            name: "sites",
            spec: [
                "kind": "bridge", "interface": "vmbr1",
                "subnets": [["prefix": "192.0.2.0/24", "gateway": "192.0.2.1", "ranges": ["192.0.2.10-192.0.2.99"]]],
            ], by: requester)
    }
}

extension Reckoning {
    private typealias Seen = (node: String, vmid: Int64, guest: GuestModel.Guest)

    private func guests(of service: String) -> [Seen] {
        trial.nodes.flatMap { node in
            node.engines.model.guests.guests.filter { $0.value.service == service }.map {
                (node.name, $0.key, $0.value)
            }
        }
    }

    func checkSite(_ service: Books.Service) {
        let seen = guests(of: service.id)
        switch service.state {
        case "running", "suspended":
            guard seen.count == 1, let one = seen.first, one.node == service.node else {
                return violated("site \(service.id) is \(service.state) on \(service.node ?? ""), there are \(seen)")
            }
            check(one.guest, of: service)
        case "terminated", "failed", "pending":
            // A restoration that fails may leave what it was to restore.
            if !seen.isEmpty, !hasBeen(service) || service.state != "failed" {
                violated("site \(service.id) is \(service.state), left are \(seen)")
            }
        default: violated("site \(service.id) is \(service.state) for ever")
        }
    }

    private func check(_ guest: GuestModel.Guest, of service: Books.Service) {
        if guest.isRunning != (service.state == "running") {
            violated("site \(service.id) is \(service.state), its container is \(guest)")
        }
        if let memory = service.spec["memory_bytes"]?.asInteger, guest.memory != memory >> 20 {
            violated("site \(service.id) was promised \(memory) bytes, its container is \(guest)")
        }
        let routes = trial.outside.state.routes.values.map(\.thing).filter { $0.target.host == guest.address }
        guard routes.count == 1, let host = routes.first?.name else {
            return violated("site \(service.id) is reached by \(routes)")
        }
        if guest.home != "https://\(host)" {
            violated("site \(service.id) at \(host) calls \(guest.home ?? "") its own")
        }
        if trial.outside.state.records["A \(host)"]?.thing.value != Outside.address {
            violated("the name \(host) of site \(service.id) leads nowhere")
        }
    }

    /// Nothing of ours is outside, or on a node, that nobody holds.
    func checkSites() {
        let held = Set(books.allocations.map { "\($0.node ?? "") \($0.kind) \($0.value)" })
        for node in trial.nodes {
            for (vmid, guest) in node.engines.model.guests.guests where !strays.contains(guest.service) {
                if !held.contains("\(node.name) vmid \(vmid)") {
                    violated("container \(vmid) on \(node.name) belongs to nobody")
                }
            }
        }
        let labels = Set(books.allocations.filter { $0.kind == "subdomain" }.map { "\($0.value).\($0.scope)" })
        guard strays.isEmpty else { return }
        for host in trial.outside.state.records.values.map(\.thing.host) where !labels.contains(host) {
            violated("a record of \(host) is left, which nobody holds")
        }
        for host in trial.outside.state.routes.values.map(\.thing.name) where !labels.contains(host) {
            violated("a route of \(host) is left, which nobody holds")
        }
    }
}
