import ControllerCore
import Placement
import Saga
import Store
import WireProtocol

extension WordPress {
    /// What is made of a backup needs no template.
    static let placementOfCopies = PlacementNeeds(
        networks: placement.networks,
        demand: { spec throws(CoreError) in
            var demand = try placement.demand(spec)
            demand.template = nil
            return demand
        })
}

/// A site that is made of another one's backup: a container of its own, with its own number, card and name.
extension SiteScope {
    /// The nodes that reach the storage on which the backup lies: those of the cluster where it is shared, else the one that made it.
    func nodes(of origin: Restoring, _ call: StepCall) async throws(StepFailure) -> Set<String> {
        let connected = await dependencies.agents.connected()
        typealias Reach = (maker: String, cluster: [String])
        let (maker, cluster) = try await locally { store throws(StoreError) -> Result<Reach, StepFailure> in
            let source = try store.service(origin.service)?.node
            guard let maker = origin.node ?? source else {
                return .failure(.refused("not_found", "no node is known that reaches backup \(origin.backup)"))
            }
            var name = try store.node(maker)?.cluster
            if name == nil, let source { name = try store.node(source)?.cluster }
            return .success((maker, try name.map { name throws(StoreError) in try store.nodes(ofCluster: name) } ?? []))
        }
        // Each of the cluster knows whether all reach it. What lies with its maker alone is there, or nowhere.
        let there = [maker] + cluster.filter { $0 != maker }
        guard let node = there.first(where: connected.contains) else { return [maker] }
        let listed = try await ask("storage.list", node, call)
        let isShared = WordPress.isShared(WordPress.storage(of: origin.name), listed) == true
        return isShared ? Set(cluster).union([maker]) : [maker]
    }

    /// Makes the container of the backup. What bears this service's mark already is left of an attempt that was cut off, and gives
    /// way; what bears another one is somebody else's. It is not started before it has a card of its own.
    func remake(
        _ origin: Restoring, at place: SitePlace, _ card: SiteCard, hostname: String, _ call: StepCall
    ) async throws(StepFailure) -> FoundGuest {
        let request = ActionRequest(
            driver: "proxmox", action: "container.restore", resource: place.resource,
            arguments: [
                "vmid": .integer(place.vmid), "backup": .string(origin.name), "storage": .string(place.storage),
                "made_of": .string(origin.service), "replace": true, "unique": true,
                "mark": ["service": .string(service.id)],
            ])
        let seen = try await send(request, to: place.node, call.part("\(place.vmid)"))
        let made = FoundGuest(node: place.node, vmid: place.vmid, seen: seen)
        try await keep(made)
        do throws(StepFailure) { try await settle(made, card, hostname: hostname, call) } catch {
            // The container is there, whatever became of its settings.
            var failure = error
            failure.effect = .possible
            throw failure
        }
        return made
    }

    private func settle(
        _ made: FoundGuest, _ card: SiteCard, hostname: String, _ call: StepCall
    ) async throws(StepFailure) {
        var settings: JSONObject = [
            "hostname": .string(hostname), "memory_mib": .integer(spec.memoryBytes >> 20),
            "cores": .integer(spec.cores), "on_boot": true, "networks": [card.argument], "apply": "at_restart",
        ]
        if !card.resolvers.isEmpty { settings["nameservers"] = .array(card.resolvers.map { .string($0) }) }
        _ = try await order("container.set", made, settings, call.part("\(made.vmid).settings"))
        _ = try await order(
            "container.resize", made, ["disk": "rootfs", "size_mib": .integer(spec.diskBytes >> 20)],
            call.part("\(made.vmid).disk"))
    }
}
