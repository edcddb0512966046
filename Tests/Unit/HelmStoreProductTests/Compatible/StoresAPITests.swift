import ControllerCore
import HTTPFetch
import Model
import Store
import Testing
import WireProtocol

/// The API of shops that was there before, as a dashboard uses it.
@Suite struct StoresAPITests {
    @Test func `a shop is ordered at once, comes up, and goes`() async throws {
        try await Dashboard.with { dashboard in
            let made = try await dashboard.post("/api/v1/stores", Dashboard.order)
            #expect(made.status == 202 && made.body["status"] == "PROVISIONING")
            let id = try #require(made.body["id"]?.asString)
            #expect(id.hasPrefix("shoes-") && id.utf8.count == 12)
            #expect(made.body["namespace"] == .string("store-\(id)") && made.body["engine"] == "woocommerce")
            #expect(
                Set(made.body.asObject?.keys ?? []) == ["id", "name", "engine", "namespace", "status", "created_at"])
            #expect(made.body["created_at"]?.asString?.utf8.count == 19)
            let ready = try await dashboard.store(id, is: "READY")
            #expect(ready.body["store_url"] == "http://shoes.shops.example.org")
            #expect(ready.body["helm_release"] == .string(id) && ready.body["failure_reason"] == .some(.null))
            #expect(dashboard.stage.cluster.belongings.spaces.keys.sorted() == ["store-\(id)"])
            let list = try await dashboard.ask("GET", "/stores").body["stores"]?.asArray
            #expect(list?.count == 1 && list?.first?["id"] == .string(id) && list?.first?["helm_release"] == nil)
            let gone = try await dashboard.ask("DELETE", "/api/v1/stores/\(id)")
            #expect(
                gone.status == 200
                    && gone.body == [
                        "id": .string(id), "status": "DELETED", "message": "Store deleted successfully",
                    ])
            #expect(dashboard.stage.cluster.belongings.spaces.isEmpty)
            // Again is the same; the record stays.
            #expect(try await dashboard.ask("DELETE", "/stores/\(id)").status == 200)
            #expect(try await dashboard.ask("GET", "/stores/\(id)").body["status"] == "DELETED")
            #expect(try await dashboard.ask("GET", "/stores").body["stores"] == [])
        }
    }

    @Test func `one that failed says why, and is tried again under its id`() async throws {
        try await Dashboard.with { dashboard in
            dashboard.stage.cluster.change { state in
                (state.problems, state.hasFailed) = (["job/setup: failed: BackoffLimitExceeded"], true)
            }
            let id = try #require(try await dashboard.post("/stores", Dashboard.order).body["id"]?.asString)
            let failed = try await dashboard.store(id, is: "FAILED")
            #expect(failed.body["failure_reason"]?.asString?.contains("BackoffLimitExceeded") == true)
            #expect(failed.body["store_url"] == .some(.null))
            #expect(dashboard.stage.cluster.belongings.spaces.count == 1)
            // Somebody else cannot have it, nor can it become something else.
            let other = try await dashboard.post("/stores", Dashboard.order.merged(with: ["owner": "bob"]))
            #expect(other.status == 409 && other.error.contains("taken"))
            dashboard.stage.cluster.change { state in (state.problems, state.hasFailed) = ([], false) }
            let again = try await dashboard.post("/stores", Dashboard.order)
            #expect(again.status == 202 && again.body["id"] == .string(id) && again.body["status"] == "PROVISIONING")
            #expect(try await dashboard.store(id, is: "READY").status == 200)
        }
    }

    @Test func `a name is one shop's; when that is deleted its owner may use it again`() async throws {
        try await Dashboard.with { dashboard in
            let order = Dashboard.order.merged(with: ["owner": "jane"])
            let first = try #require(try await dashboard.post("/stores", order).body["id"]?.asString)
            #expect(try await dashboard.post("/stores", order).status == 409)
            _ = try await dashboard.store(first, is: "READY")
            #expect(try await dashboard.post("/stores", order).status == 409)
            #expect(try await dashboard.ask("DELETE", "/stores/\(first)").status == 200)
            #expect(try await dashboard.post("/stores", order.merged(with: ["owner": "bob"])).status == 409)
            let second = try await dashboard.post("/stores", order)
            let id = try #require(second.body["id"]?.asString)
            #expect(second.status == 202 && id != first)
            #expect(try await dashboard.store(id, is: "READY").status == 200)
            #expect(try await dashboard.ask("GET", "/stores/\(first)").body["status"] == "DELETED")
        }
    }

    @Test func `many who ask at once get one shop`() async throws {
        try await Dashboard.with { dashboard in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 { group.addTask { try await dashboard.post("/stores", Dashboard.order).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 202 } == 1 && statuses.count { $0 == 409 } == 5, "\(statuses)")
        }
    }

    @Test(
        arguments: [
            ["engine": "woocommerce"], ["name": "shoes"], ["name": "Shoes", "engine": "woocommerce"],
            ["name": "-", "engine": "woocommerce"], ["name": "shoes", "engine": "magento"],
            ["name": .string(String(repeating: "a", count: 47)), "engine": "woocommerce"],
            ["name": "shoes", "engine": "medusa"], ["name": "shoes", "engine": "woocommerce", "email": "x"],
            ["name": "shoes", "engine": "woocommerce", "colour": "red"], ["name": 1, "engine": "woocommerce"],
        ] as [JSONObject]) func `a wrong order is refused in this API's words`(_ order: JSONObject) async throws
    {
        try await Dashboard.with(runs: false) { dashboard in
            let refused = try await dashboard.post("/api/v1/stores", order)
            #expect((400..<500).contains(refused.status) && refused.status != 409, "\(refused.body.text)")
            #expect(refused.body.asObject?.keys == ["error"] && !refused.error.isEmpty)
            #expect(try await dashboard.ask("GET", "/stores").body["stores"] == [])
        }
    }

    @Test func `a removal that takes long is answered with 202, and whoever asks again joins it`() async throws {
        try await Dashboard.with(patience: .milliseconds(300)) { dashboard in
            let id = try #require(try await dashboard.post("/stores", Dashboard.order).body["id"]?.asString)
            _ = try await dashboard.store(id, is: "READY")
            dashboard.stage.cluster.change { $0.away = ["nod_1", "nod_2"] }
            for _ in 0..<2 {
                let slow = try await dashboard.ask("DELETE", "/stores/\(id)")
                #expect(slow.status == 202 && slow.body["status"] == "DELETING")
                #expect(slow.headers["Location"]?.hasSuffix("/stores/\(id)") == true)
            }
            #expect(try await dashboard.ask("GET", "/stores/\(id)").body["status"] == "DELETING")
        }
    }

    @Test func `what is not there is not found`() async throws {
        try await Dashboard.with(runs: false) { dashboard in
            for id in ["shoes-abc123", "x", "-", "a-b", "shoes-ABC123", String(repeating: "a", count: 80)] {
                for method in ["GET", "DELETE"] {
                    let answer = try await dashboard.ask(method, "/api/v1/stores/\(id)")
                    #expect(answer.status == 404 && answer.error == "Store not found", "\(method) \(id)")
                }
            }
        }
    }

    @Test func `keys are asked for, except on an open listener; health needs none`() async throws {
        try await Dashboard.with(runs: false) { dashboard in
            #expect(try await dashboard.ask("GET", "/stores", key: "").status == 401)
            let reader = try await Dashboard.key(dashboard.stage.store, ["read"])
            #expect(try await dashboard.ask("GET", "/stores", key: reader).status == 200)
            #expect(try await dashboard.ask("POST", "/stores", .object(Dashboard.order), key: reader).status == 403)
            for path in ["/api/v1/health", "/health"] {
                for own in [true, false] {
                    let health = try await dashboard.ask("GET", path, key: "", own: own)
                    #expect(health.body == ["status": "healthy", "service": "store-provisioning-backend"])
                }
            }
            let made = try await dashboard.ask("POST", "/api/v1/stores", .object(Dashboard.order), own: true)
            #expect(made.status == 202)
            // A customer sees his own, and nothing of others.
            let key = try await Dashboard.key(dashboard.stage.store, ["read", "services"], customer: "bob")
            let id = made.body["id"]?.asString ?? ""
            #expect(try await dashboard.ask("GET", "/stores", key: key).body["stores"] == [])
            #expect(try await dashboard.ask("GET", "/stores/\(id)", key: key).status == 404)
            #expect(try await dashboard.ask("DELETE", "/stores/\(id)", key: key).status == 404)
            let own = try await Dashboard.key(dashboard.stage.store, ["read"], customer: "stores")
            #expect(try await dashboard.ask("GET", "/stores/\(id)", key: own).status == 200)
        }
    }
}
