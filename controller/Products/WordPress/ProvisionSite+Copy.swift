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
        typealias Reach = (maker: String, cluster: Set<String>)
        let (maker, cluster) = try await locally { store throws(StoreError) -> Result<Reach, StepFailure> in
            let source = try store.service(origin.service)?.node
            var makers: [NodeRecord] = []
            for id in [origin.node, source].compactMap(\.self) {
                if let node = try store.node(id), node.revokedAt == nil { makers.append(node) }
            }
            guard let maker = makers.first(where: { connected.contains($0.id) }) ?? makers.first else {
                return .failure(.refused("not_found", "no node is known that reaches backup \(origin.backup)"))
            }
            guard let name = maker.cluster else { return .success((maker.id, [maker.id])) }
            return .success((maker.id, Set(try store.nodes(ofCluster: name))))
        }
        let storages = try await ask("storage.list", maker, call)["storages"]?.asArray ?? []
        let storage = WordPress.storage(of: origin.name)
        let isShared = storages.first { $0["storage"]?.asString == storage }?["shared"] == true
        return isShared ? cluster.union([maker]) : [maker]
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
