import ControllerCore
import Model
import Placement
import Saga
import Store
import WireProtocol

/// Where a shop is and what it is called.
struct StorePlace: StepOutput, Hashable {
    /// Through which the cluster is reached.
    var node: String
    /// The shop's id, which is the name of its release.
    var id: String
    var host: String

    init(node: String, id: String, host: String) { (self.node, self.id, self.host) = (node, id, host) }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (node, id, host) = (try object.string("node"), try object.string("id"), try object.string("host"))
    }

    var json: JSONValue { ["node": .string(node), "id": .string(id), "host": .string(host)] }

    var namespace: String { "store-\(id)" }
    var release: String { id }
    /// Lanes of the namespace and of the release, for the node's agent.
    var space: String { "helm/\(namespace)" }
    var resource: String { "helm/\(namespace)/\(release)" }

    static let (idKind, hostKind) = ("store", "store-host")
}

extension StorePlace {
    /// Read from what is allocated and reserved, which are made and released together.
    init?(_ held: [AllocationRecord], _ reservation: Reservation?) {
        guard let reservation, let id = held.first(where: { $0.kind == Self.idKind })?.value,
            let label = held.first(where: { $0.kind == Self.hostKind })
        else { return nil }
        self.init(node: reservation.node, id: id, host: "\(label.value).\(label.scope)")
    }
}

extension Store {
    func shop(of service: String) throws(StoreError) -> StorePlace? {
        StorePlace(try allocations(service: service), try reservation(service: service))
    }

    /// Id and name, in the transaction that chose the node. Throws `exhausted` where the name is another's.
    func takeShop(
        _ name: String, _ ids: [String], on node: String, for scope: StoreScope, at time: Timestamp
    ) throws(StoreError) -> StorePlace {
        let (service, operation) = (scope.service, scope.operation.id)
        try reserve(
            Reservation(
                service: service.id, node: node, pool: nil, cpuMillis: 0, memoryBytes: 0, diskBytes: 0,
                createdAt: service.createdAt))
        let label = try allocate(
            AllocationRequest(
                kind: StorePlace.hostKind, scope: scope.spec.zone, candidates: [name], service: service.id,
                operation: operation), at: time)
        let id = try allocate(
            AllocationRequest(
                kind: StorePlace.idKind, candidates: ids, node: node, service: service.id,
                operation: operation), at: time)
        return StorePlace(node: node, id: id.value, host: "\(label.value).\(label.scope)")
    }
}
