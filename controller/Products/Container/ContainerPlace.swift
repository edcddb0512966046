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
    /// Nil on a node whose agent knows no marks, and in what such a version has journalled: what bears none is told apart by its owner.
    var nonces: Nonces?

    /// By what the makings of the things are known; nil where nobody has written it down.
    struct Nonces: Hashable {
        var dataset: String?
        var container: String?
    }

    init(
        node: String, pool: String, dataset: String, container: String, ports: [String: Int64] = [:],
        nonces: Nonces? = nil
    ) {
        (self.node, self.pool, self.dataset, self.container) = (node, pool, dataset, container)
        (self.ports, self.nonces) = (ports, nonces)
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
        nonces = try object.optionalObject("nonces").map { nonces in
            Nonces(
                dataset: try nonces.optionalString("dataset"), container: try nonces.optionalString("container"))
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
        if let nonces {
            var marks: JSONObject = [:]
            marks["dataset"] = nonces.dataset.map { .string($0) }
            marks["container"] = nonces.container.map { .string($0) }
            json["nonces"] = .object(marks)
        }
        return .object(json)
    }

    /// What is shown of it.
    var address: JSONObject {
        var place = self
        place.nonces = nil
        return place.json.asObject ?? [:]
    }
}

extension ContainerPlace {
    /// Read from the allocations and the reservation, which are made and released together.
    init?(_ held: [AllocationRecord], _ reservation: Reservation?) {
        guard let reservation, let pool = reservation.pool,
            let dataset = held.first(where: { $0.kind == "dataset" }),
            let container = held.first(where: { $0.kind == "container" })
        else { return nil }
        let ports = held.filter { $0.kind == "port" }.map { ($0.slot, Int64($0.value) ?? 0) }
        self.init(
            node: reservation.node, pool: pool, dataset: dataset.value, container: container.value,
            ports: Dictionary(ports, uniquingKeysWith: { first, _ in first }),
            nonces: Nonces(dataset: dataset.nonce, container: container.nonce))
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
        var place = ContainerPlace(try allocations(service: service), try reservation(service: service))
        if let node = place?.node, try !takesMarks(node, driver: "zfs") { place?.nonces = nil }
        return place
    }

    func reserve(_ resources: Resources, at place: ContainerPlace, for service: ServiceRecord) throws(StoreError) {
        try reserve(
            Reservation(
                service: service.id, node: place.node, pool: place.pool, cpuMillis: resources.cpuMillis,
                memoryBytes: resources.memoryBytes, diskBytes: resources.diskBytes, createdAt: service.createdAt))
    }
}
