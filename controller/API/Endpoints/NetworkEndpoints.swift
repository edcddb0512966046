import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Store
import WireProtocol

extension APIResources {
    /// Where services are put on, and what addresses there are.
    var networks: [Endpoint] { networkViews + networkChanges }

    private var networkViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/networks", .read,
                .init(
                    summary: "All networks, by name", tag: "networks", query: ["limit", "cursor"],
                    answer: Listing<NetworkView>.self)
            ) { call in
                let page = try await store.networks(page: call.pageRequest("networks"))
                let held = try await store.heldAddresses()
                let views = try page.items.map { try NetworkView($0, held: held[$0.name] ?? 0) }
                return try .model(
                    Listing(items: views, next: page.next.map { Cursor.text($0, list: "networks") }))
            },
            Endpoint(
                .get, "/api/v1/networks/{network}", .read,
                .init(summary: "One network", tag: "networks", answer: NetworkView.self)
            ) { call in
                let name = try call.path("network")
                guard let network = try await store.network(name) else {
                    throw Problem(.notFound, "there is no network \(name)")
                }
                return try await .model(view(network))
            },
        ]
    }

    private var networkChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/networks", .nodes,
                .init(
                    summary: "Create a network", tag: "networks", body: NetworkRequest.self, answer: NetworkView.self,
                    status: 201)
            ) { call in
                let request = try call.model(NetworkRequest.self)
                let network = try await operations.createNetwork(
                    name: request.name, spec: JSONObject(request.spec), by: call.requester)
                return try await .model(view(network), status: 201, location: "/api/v1/networks/\(network.name)")
            },
            Endpoint(
                .put, "/api/v1/networks/{network}", .nodes,
                .init(
                    summary:
                        "Create a network, or change it; what services hold there must stay something that it gives",
                    tag: "networks", body: NetworkBody.self, answer: NetworkView.self)
            ) { call in
                let network = try await operations.putNetwork(
                    name: call.path("network"), spec: JSONObject(call.model(NetworkBody.self)), by: call.requester)
                return try await .model(view(network))
            },
            Endpoint(
                .delete, "/api/v1/networks/{network}", .nodes,
                .init(summary: "Remove a network on which no service holds an address", tag: "networks", status: 204)
            ) { call in
                try await operations.removeNetwork(name: call.path("network"), by: call.requester)
                return .nothing
            },
        ]
    }

    private func view(_ network: NetworkRecord) async throws -> NetworkView {
        try NetworkView(network, held: await store.heldAddresses()[network.name] ?? 0)
    }
}

extension NetworkView {
    fileprivate init(_ record: NetworkRecord, held: Int) throws {
        self.init(
            name: record.name,
            spec: try BodyDecoder.model(NetworkBody.self, from: .object(record.spec), unknownFields: .ignored),
            held: held, createdAt: record.createdAt, changedAt: record.updatedAt)
    }
}
