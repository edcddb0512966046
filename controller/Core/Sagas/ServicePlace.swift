import Placement
import Saga
import Store
import WireProtocol

/// Where a service lives and what its things are called.
struct ServicePlace: StepOutput, Hashable {
    var node: String
    var pool: String
    var dataset: String
    var container: String

    init(node: String, pool: String, dataset: String, container: String) {
        (self.node, self.pool, self.dataset, self.container) = (node, pool, dataset, container)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        node = try object.string("node")
        pool = try object.string("pool")
        dataset = try object.string("dataset")
        container = try object.string("container")
    }

    var json: JSONValue {
        [
            "node": .string(node), "pool": .string(pool), "dataset": .string(dataset),
            "container": .string(container),
        ]
    }
}

/// What an agent observed.
struct Observation: StepOutput, Hashable {
    var object: JSONObject
    init(_ object: JSONObject) { self.object = object }
    init(json: JSONValue) { object = json.asObject ?? [:] }
    var json: JSONValue { .object(object) }
}

extension ServiceScope {
    /// The place that the service holds.
    func place() async throws(StepFailure) -> ServicePlace {
        guard let place = try await placeIfAny() else {
            throw StepFailure(
                .final, code: "not_placed", message: "the service holds no place on any node", effect: .none)
        }
        return place
    }

    func placeIfAny() async throws(StepFailure) -> ServicePlace? {
        let id = service.id
        return try await locally { store throws(StoreError) in .success(try store.place(of: id)) }
    }
}

extension Store {
    /// Read from the reservation and the allocations, which are made and released together.
    func place(of service: String) throws(StoreError) -> ServicePlace? {
        guard let reservation = try reservation(service: service), let pool = reservation.pool else { return nil }
        let held = try allocations(service: service)
        guard let dataset = held.first(where: { $0.kind == "dataset" })?.value,
            let container = held.first(where: { $0.kind == "container" })?.value
        else { return nil }
        return ServicePlace(node: reservation.node, pool: pool, dataset: dataset, container: container)
    }

    func reserve(_ resources: Resources, at place: ServicePlace, for service: ServiceRecord) throws(StoreError) {
        try reserve(
            Reservation(
                service: service.id, node: place.node, pool: place.pool, cpuMillis: resources.cpuMillis,
                memoryBytes: resources.memoryBytes, diskBytes: resources.diskBytes, createdAt: service.createdAt))
    }
}
