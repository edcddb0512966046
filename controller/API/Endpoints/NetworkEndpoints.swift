import APIModels
import ControllerCore
import HTTP
import HTTPTypes
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
            ) { call in try await call.page("networks") { try await queries(call).networks($0) } },
            Endpoint(
                .get, "/api/v1/networks/{network}", .read,
                .init(summary: "One network", tag: "networks", answer: NetworkView.self)
            ) { call in try await .model(queries(call).network(call.path("network"))) },
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
                return try await .model(
                    queries(call).changed(network), status: 201, location: "/api/v1/networks/\(request.name)")
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
                return try await .model(queries(call).changed(network))
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
}
