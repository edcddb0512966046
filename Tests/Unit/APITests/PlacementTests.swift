import APIModels
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Testing
import WireProtocol
@testable import API
@testable import HTTP

@Suite struct PlacementTests {
    static let order = #"{"customer":"c1","plan":"small"}"#

    /// Three nodes: `nod_1` is connected and has room, `nod_2` is cordoned, `nod_3` is away and has no pool.
    static func fleet(_ house: House) async throws {
        _ = try await house.ask(.put, "/api/v1/plans/small", House.plan)
        for (id, name) in [("nod_1", "alpha"), ("nod_2", "beta"), ("nod_3", "gamma")] {
            try await house.addNode(id, name: name)
        }
        let pools: JSONValue = [["name": "tank", "size_bytes": 107_374_182_400, "free_bytes": 107_374_182_400]]
        for id in ["nod_1", "nod_2"] {
            try await house.store.updateNode(id) {
                $0.schedulable = id == "nod_1"
                $0.facts = ["drivers": [["name": "docker"], ["name": "zfs", "facts": ["pools": pools]]]]
            }
        }
    }

    @Test func `a placement says where an order would go, and of every other node why not`() async throws {
        let house = try await House()
        try await Self.fleet(house)
        let reply = try await house.ask(.post, "/api/v1/placements", Self.order, key: house.key("read"))
        #expect(reply.status == 200)
        let placement = try reply.model(PlacementView.self)
        #expect(placement.node == "nod_1" && placement.pool == "tank" && placement.leftOut == nil)
        #expect(placement.nodes.map(\.name) == ["alpha", "beta", "gamma"])
        #expect(placement.nodes.map(\.verdict) == ["chosen", "excluded", "excluded"])
        #expect(placement.nodes[0].score ?? 0 > 0 && placement.nodes[1].score == nil)
        #expect(placement.nodes[1].explanation.contains("cordoned"))
        #expect(placement.nodes[2].explanation.contains("no driver docker"))
        #expect(try await house.store.services(page: PageRequest()).items.isEmpty)
        #expect(try await house.store.auditLog().items.map(\.action) == ["plan.create"])
    }

    @Test func `a placement without room names every node`() async throws {
        let house = try await House()
        try await Self.fleet(house)
        let order = #"{"customer":"c1","plan":"small","overrides":{"memory_bytes":1099511627776}}"#
        let placement = try await house.ask(.post, "/api/v1/placements", order).model(PlacementView.self)
        #expect(placement.node == nil && placement.nodes.count == 3)
        #expect(placement.nodes.first { $0.name == "alpha" }?.explanation.contains("memory wanted") == true)
    }

    @Test func `a placement is checked like the order`() async throws {
        let house = try await House()
        let reply = try await house.ask(.post, "/api/v1/placements", Self.order)
        #expect(reply.status == 400)
        #expect(try reply.problem.field == "plan")
    }

    @Test func `an operation tells how its node was chosen, a list of operations does not`() async throws {
        let house = try await House()
        let id = try await house.addService().operation.id
        let placement: JSONObject = [
            "node": "nod_1", "pool": "tank",
            "nodes": [
                ["node": "nod_1", "name": "alpha", "verdict": "chosen", "score": 900, "explanation": "alpha: fits"]
            ],
        ]
        try await house.store.updateOperation(id) {
            $0.result = .object(["placement": .object(placement), "warnings": []])
        }
        let shown = try await house.ask(.get, "/api/v1/operations/\(id)").model(Operation.self)
        #expect(shown.placement?.nodes.map(\.explanation) == ["alpha: fits"])
        #expect(shown.result == .object(["warnings": []]))
        let listed = try await house.ask(.get, "/api/v1/operations").model(Listing<Operation>.self).items
        #expect(listed.first?.placement == nil && listed.first?.result == nil)
    }
}
