import ControllerCore
import Model
import Saga
import Store
import WireProtocol

/// A site's container, where it was found.
struct FoundGuest: StepOutput, Hashable {
    var node: String
    var vmid: Int64
    /// Of its making, as its mark tells; empty where the making is not to be compared.
    var nonce: String
    var isRunning: Bool
    var isInHA: Bool
    var snapshots: [String]

    init(node: String, vmid: Int64, seen: JSONObject) {
        (self.node, self.vmid) = (node, vmid)
        nonce = seen["nonce"]?.asString ?? ""
        isRunning = seen["status"] == "running"
        isInHA = seen["ha"] == true
        snapshots = seen["snapshots"]?.asArray?.compactMap(\.asString) ?? []
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (node, vmid, nonce) = (try object.string("node"), try object.integer("vmid"), try object.string("nonce"))
        (isRunning, isInHA) = (try object.bool("running"), try object.bool("ha"))
        snapshots = try object.strings("snapshots")
    }

    var json: JSONValue {
        [
            "node": .string(node), "vmid": .integer(vmid), "nonce": .string(nonce), "running": .bool(isRunning),
            "ha": .bool(isInHA), "snapshots": .array(snapshots.map { .string($0) }),
        ]
    }

    var resource: String { SitePlace.resource(vmid) }

    /// Of whatever making.
    var ofAnyMaking: FoundGuest {
        var guest = self
        guest.nonce = ""
        return guest
    }
}

extension SiteScope {
    /// Where the service's container is, wherever the HA manager or somebody else has moved it in its cluster. Nil when no node
    /// has it. What bears another mark is left alone, and becomes a finding.
    /// - Parameter anyMaking: also one whose making this store has no record of, as after a restoration that was cut off.
    func find(
        _ place: SitePlace, _ call: StepCall, anyMaking: Bool = false
    ) async throws(StepFailure) -> FoundGuest? {
        var silence: StepFailure?
        let known = anyMaking ? nil : try await nonce()
        for node in try await whereabouts(place) {
            let look = ActionRequest(
                driver: "proxmox", action: "container.inspect", resource: place.resource,
                arguments: ["vmid": .integer(place.vmid)])
            do throws(StepFailure) {
                let seen = try await send(look, to: node, call.part(node))
                try await checkOwner(seen, place, node, known, call)
                return FoundGuest(node: node, vmid: place.vmid, seen: seen)
            } catch {
                switch error.kind {
                case .final where error.code == "not_found": continue
                case .unanswered: silence = error
                default: throw error
                }
            }
        }
        if let silence { throw silence }
        return nil
    }

    /// The container, which must be there.
    func guest(
        _ place: SitePlace, _ call: StepCall, anyMaking: Bool = false
    ) async throws(StepFailure) -> FoundGuest {
        if let found = try await find(place, call, anyMaking: anyMaking) {
            if anyMaking { try await keep(found) }
            if found.node != place.node {
                note(call, "container \(place.vmid) has moved to another node of its cluster")
                try await noteMove(place.resource, to: found.node)
            }
            return found
        }
        throw .refused(
            "not_found",
            "no node of the cluster has container \(place.vmid): restore a backup, or terminate the service",
            place.resource)
    }

    /// The node that it was put on, then those of its cluster that have told of it.
    private func whereabouts(_ place: SitePlace) async throws(StepFailure) -> [String] {
        try await locally { store throws(StoreError) in
            guard let cluster = try store.node(place.node)?.cluster else { return .success([place.node]) }
            var nodes = [place.node]
            for node in try store.nodes(reporting: place.resource) where node != place.node {
                if try store.node(node)?.cluster == cluster { nodes.append(node) }
            }
            return .success(nodes)
        }
    }

    private func checkOwner(
        _ seen: JSONObject, _ place: SitePlace, _ node: String, _ known: String?, _ call: StepCall
    ) async throws(StepFailure) {
        let owner = seen["owner"]?.asString
        let reason: String
        if owner != service.id {
            reason = owner.map { "it bears the mark of \($0.prefix(64))" } ?? "it bears no mark"
        } else if let known, let nonce = seen["nonce"]?.asString, nonce != known {
            reason = "its mark is that of another making"
        } else {
            return try await settle(Self.noun)
        }
        throw await foreign(place.resource, as: Self.noun, on: node, because: reason, call)
    }

    /// What people call a site's container.
    static let noun = "guest"

    /// By what the making of the container is known; nil where nobody has written it down.
    func nonce() async throws(StepFailure) -> String? {
        let id = service.id
        return try await locally { store throws(StoreError) in
            .success(try store.allocations(service: id).first { $0.kind == "vmid" }?.nonce)
        }
    }

    /// The container is the service's from here on: its usage, and by what its making is known.
    func keep(_ guest: FoundGuest) async throws(StepFailure) {
        let (id, now) = (service.id, dependencies.clock.now())
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            try store.hold(guest.resource, on: guest.node, for: id, at: now)
            if !guest.nonce.isEmpty { try store.noteNonce(guest.nonce, of: "vmid", "\(guest.vmid)", service: id) }
            return .success(())
        }
    }

    /// Gives an order on the container; whose it is goes along, and is compared by the node.
    func order(
        _ operation: String, _ guest: FoundGuest, _ arguments: JSONObject, secrets: JSONObject = [:], _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        let request = ActionRequest(
            driver: "proxmox", action: operation, resource: guest.resource,
            arguments: arguments.merged(with: ["vmid": .integer(guest.vmid)]), secrets: secrets)
        let mark = mark(guest.nonce.isEmpty ? nil : guest.nonce)
        return try await send(request, marked: mark, as: Self.noun, to: guest.node, call)
    }

    func order(_ operation: String, _ guest: FoundGuest, _ call: StepCall) async throws(StepFailure) -> JSONObject {
        try await order(operation, guest, [:], call)
    }
}
