import ControllerCore
import Placement
import Saga
import Store
import WireProtocol

/// Where a service lives and what its things are called.
struct ContainerPlace: StepOutput, Hashable {
    var node: String
    var pool: String
    var dataset: String
    var container: String
    /// Ports of the node by the container's: `80/tcp`.
    var ports: [String: Int64]

    init(node: String, pool: String, dataset: String, container: String, ports: [String: Int64] = [:]) {
        (self.node, self.pool, self.dataset, self.container) = (node, pool, dataset, container)
        self.ports = ports
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        node = try object.string("node")
        pool = try object.string("pool")
        dataset = try object.string("dataset")
        container = try object.string("container")
        // Version 0.1.0 published none.
        ports = (try object.optionalObject("ports") ?? [:]).members.reduce(into: [:]) { ports, member in
            ports[member.key] = member.value.asInteger
        }
    }

    var json: JSONValue {
        var json: JSONObject = [
            "node": .string(node), "pool": .string(pool), "dataset": .string(dataset),
            "container": .string(container),
        ]
        if !ports.isEmpty {
            json["ports"] = .object(
                JSONObject(ports.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) }))
        }
        return .object(json)
    }
}

extension ContainerPlace {
    /// Read from the allocations and the reservation, which are made and released together.
    init?(_ held: [AllocationRecord], _ reservation: Reservation?) {
        guard let reservation, let pool = reservation.pool,
            let dataset = held.first(where: { $0.kind == "dataset" })?.value,
            let container = held.first(where: { $0.kind == "container" })?.value
        else { return nil }
        let ports = held.filter { $0.kind == "port" }.map { ($0.slot, Int64($0.value) ?? 0) }
        self.init(
            node: reservation.node, pool: pool, dataset: dataset, container: container,
            ports: Dictionary(ports, uniquingKeysWith: { first, _ in first }))
    }
}

extension ContainerScope {
    /// The place that the service holds.
    func place() async throws(StepFailure) -> ContainerPlace {
        guard let place = try await placeIfAny() else {
            throw StepFailure(
                .final, code: "not_placed", message: "the service holds no place on any node", effect: .none)
        }
        return place
    }

    func placeIfAny() async throws(StepFailure) -> ContainerPlace? {
        let id = service.id
        return try await locally { store throws(StoreError) in .success(try store.place(of: id)) }
    }
}

extension Store {
    func place(of service: String) throws(StoreError) -> ContainerPlace? {
        ContainerPlace(try allocations(service: service), try reservation(service: service))
    }

    func reserve(_ resources: Resources, at place: ContainerPlace, for service: ServiceRecord) throws(StoreError) {
        try reserve(
            Reservation(
                service: service.id, node: place.node, pool: place.pool, cpuMillis: resources.cpuMillis,
                memoryBytes: resources.memoryBytes, diskBytes: resources.diskBytes, createdAt: service.createdAt))
    }
}
