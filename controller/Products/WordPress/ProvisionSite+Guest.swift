import ControllerCore
import Model
import Saga
import Store
import WireProtocol

/// The container of a new site. Making it is what decides whose a number is: one that somebody has is noted as taken, and the next
/// one is tried.
extension ProvisionSite {
    static func create(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> FoundGuest {
        for _ in 0..<tries {
            // The number may be another one than at first: each has commands of its own.
            let place = try await scope.place()
            let label = try call.output(name).host.prefix { $0 != "." }
            let card = try call.output(card)
            let request = ActionRequest(
                driver: "proxmox", action: "container.create", resource: place.resource,
                arguments: scope.creation(place, card, hostname: String(label)))
            do throws(StepFailure) {
                if let origin = Restoring(scope.operation) {
                    return try await scope.remake(origin, at: place, card, hostname: String(label), call)
                }
                let seen = try await scope.send(request, to: place.node, call.part("\(place.vmid)"))
                try await scope.hold(place)
                return FoundGuest(node: place.node, vmid: place.vmid, seen: seen)
            } catch {
                guard error.isTaken else { throw error }
                try await scope.takeAnother(than: place.vmid, on: place.node, because: error.message)
                scope.note(call, "number \(place.vmid) is taken: another one is tried")
            }
        }
        throw .refused("no_number", "every number that was tried is somebody else's")
    }

    /// Also of one that nobody has answered for. A container that bears another mark, or none, was never this service's.
    static func destroy(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        let place = try await scope.placeIfAny()
        guard let place else { return }
        let found: FoundGuest?
        do throws(StepFailure) { found = try await scope.find(place, call, anyMaking: true) } catch {
            guard error.code == "foreign" else { throw error }
            return
        }
        guard let found else { return }
        _ = try await scope.order("container.destroy", found, ["force": true], call)
    }
}

extension StepFailure {
    /// Whether the number is somebody else's; one of ours that is otherwise than ordered is not.
    fileprivate var isTaken: Bool {
        code == "foreign" || (code == "conflict" && message.contains("the id is taken"))
    }
}

extension SiteScope {
    fileprivate func creation(_ place: SitePlace, _ card: SiteCard, hostname: String) -> JSONObject {
        var arguments: JSONObject = [
            "vmid": .integer(place.vmid), "template": .string(spec.template),
            "rootfs": ["storage": .string(place.storage), "size_gib": .integer(spec.diskBytes >> 30)],
            "hostname": .string(hostname), "memory_mib": .integer(spec.memoryBytes >> 20),
            "cores": .integer(spec.cores), "on_boot": true, "unprivileged": true, "networks": [card.argument],
            "features": spec.featureArgument, "tags": ["innkeeper"], "mark": ["service": .string(service.id)],
        ]
        if !card.resolvers.isEmpty { arguments["nameservers"] = .array(card.resolvers.map { .string($0) }) }
        return arguments
    }

    /// Usage of the container counts for the service from here on.
    func hold(_ place: SitePlace) async throws(StepFailure) {
        let (id, now) = (service.id, dependencies.clock.now())
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            try store.hold(place.resource, on: place.node, for: id, at: now)
            return .success(())
        }
    }

    fileprivate func takeAnother(
        than vmid: Int64, on node: String, because reason: String
    ) async throws(StepFailure) {
        let (now, rules) = (dependencies.clock.now(), dependencies.allocation)
        let taking = Taking(service: service.id, node: node, operation: operation.id)
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            let held = try store.allocations(service: taking.service)
            if let record = held.first(where: { $0.kind == "vmid" && $0.value == "\(vmid)" }) {
                try store.disown(record, because: reason, at: now, by: rules)
            }
            _ = try store.takeVMID(taking, among: rules.vmids, at: now)
            return .success(())
        }
    }
}

extension WordPressSpec {
    /// Only what is switched on: a feature that is off needs no permission.
    fileprivate var featureArgument: JSONValue {
        var json: JSONObject = [:]
        if features.nesting { json["nesting"] = true }
        if features.keyctl { json["keyctl"] = true }
        if features.fuse { json["fuse"] = true }
        return .object(json)
    }
}
