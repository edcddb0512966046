import APIModels
import Model
import Store
import Testing
import WireProtocol

@testable import ControllerCore

/// What the core itself tells and takes, whatever front asks it.
@Suite struct ViewerTests {
    private static let customer = Requester(name: "key:key_1", customer: "c")

    private static func viewer(_ scopes: Set<Scope>, _ customer: String? = nil) -> Viewer {
        Viewer(actor: "key:key_1", scopes: scopes, customer: customer)
    }

    @Test func `who is bound to a customer changes nothing of the fleet, whoever forgot to ask`() async throws {
        try await Stage.with { stage in
            let (operations, by) = (stage.operations, Self.customer)
            let service = try await stage.create("o-1").service.id
            let attempts: [(String, @Sendable () async throws -> Void)] = [
                ("cordon", { _ = try await operations.cordon("nod_1", by: by) }),
                ("drain", { _ = try await operations.drain("nod_1", by: by) }),
                ("uncordon", { _ = try await operations.uncordon("nod_1", by: by) }),
                ("approve", { _ = try await operations.approve("nod_1", by: by) }),
                ("label", { _ = try await operations.label("nod_1", by: by) { _ in ["a": "b"] } }),
                ("revoke", { _ = try await operations.revoke("nod_1", reason: "x", by: by) }),
                ("remove", { try await operations.removeNode("nod_1", by: by) }),
                ("plan", { _ = try await operations.createPlan(name: "p", spec: Stage.plan(), by: by) }),
                ("retire", { _ = try await operations.retirePlan(name: "small", by: by) }),
                ("network", { _ = try await operations.putNetwork(name: "n", spec: [:], by: by) }),
                ("no network", { try await operations.removeNetwork(name: "n", by: by) }),
                (
                    "value",
                    { _ = try await operations.reserveValue(kind: "port", scope: "", value: "1", note: nil, by: by) }
                ),
                ("free", { try await operations.freeValue("x", by: by) }),
                (
                    "command",
                    { _ = try await operations.command(CommandRequest(operation: "a.b"), on: "nod_1", by: by) }
                ),
                ("key", { _ = try await operations.createKey(KeyRequest(name: "k", scopes: [.read]), by: by) }),
                ("no key", { try await operations.revokeKey("key_2", by: by) }),
                (
                    "token",
                    { _ = try await operations.createToken(TokenRequest(), authorityPin: "", by: by) }
                ),
                ("no token", { try await operations.revokeToken("tok_1", by: by) }),
                ("known", { _ = try await operations.acknowledgeFinding("fnd_1", note: nil, by: by) }),
                ("settled", { _ = try await operations.resolveFinding("fnd_1", note: nil, by: by) }),
                ("abandon", { _ = try await operations.abandon(service, by: by) }),
                ("resolve", { _ = try await operations.resolve("op_1", note: "x", by: by) }),
            ]
            let before = try await stage.store.auditLog().items.count
            for (name, attempt) in attempts {
                let error = await #expect(throws: CoreError.self) { try await attempt() }
                guard case .forbidden = error else {
                    Issue.record("\(name): \(String(describing: error))")
                    continue
                }
            }
            #expect(try await stage.store.auditLog().items.count == before)
        }
    }

    @Test func `a service of another customer is not there for who is bound to one`() async throws {
        try await Stage.with { stage in
            let other = try await stage.operations.createService(
                ServiceRequest(customer: "other", plan: "small"), by: Stage.by)
            let (id, by) = (other.service.id, Self.customer)
            let orders: [@Sendable () async throws -> Void] = [
                { _ = try await stage.operations.suspend(id, by: by) },
                { _ = try await stage.operations.resume(id, by: by) },
                { _ = try await stage.operations.repair(id, by: by) },
                { _ = try await stage.operations.retry(id, by: by) },
                { _ = try await stage.operations.order("suspend", on: id, by: by) },
                { _ = try await stage.operations.upgrade(id, UpgradeRequest(plan: "large"), by: by) },
                { _ = try await stage.operations.terminate(id, by: by) },
            ]
            for order in orders {
                await #expect(throws: CoreError.notFound(kind: "service", id: id)) { try await order() }
            }
            let operation = other.operation.id
            await #expect(throws: CoreError.notFound(kind: "operation", id: operation)) {
                try await stage.operations.cancel(operation, by: by)
            }
            await #expect(throws: CoreError.self) {
                try await stage.operations.createService(ServiceRequest(customer: "other", plan: "small"), by: by)
            }
            let own = try await stage.operations.createService(ServiceRequest(customer: "c", plan: "small"), by: by)
            #expect(try await stage.operations.cancel(own.operation.id, by: by).state == .cancelled)
        }
    }

    @Test func `a viewer without a scope is told nothing, and each list wants its own`() async throws {
        try await Stage.with { stage in
            let nobody = Queries(stage.operations, for: Self.viewer([]))
            let reader = Queries(stage.operations, for: Self.viewer([.read]))
            let part = ListPart()
            for queries in [nobody, reader] {
                await #expect(throws: CoreError.self) { try await queries.keys(part) }
                await #expect(throws: CoreError.self) { try await queries.tokens(part) }
                await #expect(throws: CoreError.self) { try await queries.audit(subject: nil, actor: nil, part) }
                await #expect(throws: CoreError.self) { try await queries.output(of: "op_1") }
            }
            await #expect(throws: CoreError.self) { try await nobody.nodes(state: nil, name: nil, part) }
            await #expect(throws: CoreError.self) { try await nobody.services(ServiceQuestion(), part) }
            await #expect(throws: CoreError.self) { try await nobody.plans(part) }
            let nodes = try await reader.nodes(state: nil, name: nil, part).items
            #expect(nodes.count == 1)
        }
    }

    @Test func `a customer's viewer has no more scopes than customers can have`() async throws {
        #expect(Self.viewer([.admin, .commands], "c").scopes.isEmpty)
        #expect(Self.viewer([.admin, .services], "c").scopes == [.services])
        try await Stage.with { stage in
            let queries = Queries(stage.operations, for: Self.viewer([.read], "c"))
            let part = ListPart()
            await #expect(throws: CoreError.self) { try await queries.nodes(state: nil, name: nil, part) }
            await #expect(throws: CoreError.self) { try await queries.node(named: "nod_1") }
            await #expect(throws: CoreError.self) { try await queries.networks(part) }
            await #expect(throws: CoreError.self) { try await queries.gaps(node: nil, stream: nil, part) }
            await #expect(throws: CoreError.self) {
                try await queries.inventory(node: nil, driver: nil, resource: nil, part)
            }
            await #expect(throws: CoreError.self) { try await queries.withheldValues(kind: nil, scope: nil, part) }
            await #expect(throws: CoreError.self) { try await queries.counts() }
            await #expect(throws: CoreError.notFound(kind: "node", id: "nod_1")) {
                try await queries.nodeID("nod_1")
            }
        }
    }

    @Test func `a sealed place is opened by who has sealed it, and tells nothing of its number`() {
        let (seal, other) = (PlaceSeal(), PlaceSeal())
        var texts: Set<String> = []
        for number in [0, 1, 2, 3, 1000, UInt64(Int.max), UInt64.max] {
            let text = seal.text(number)
            #expect(seal.number(text) == number)
            #expect(other.number(text) != number)
            texts.insert(text)
        }
        #expect(texts.count == 7)
        // Neighbours do not lie together.
        let places = (0..<100).compactMap { UInt64(seal.text($0), radix: 36) }
        #expect(zip(places, places.dropFirst()).allSatisfy { $0 > $1 ? $0 - $1 > 100 : $1 - $0 > 100 })
        for text in ["", "-1", "zz zz", String(repeating: "z", count: 20)] { #expect(seal.number(text) == nil) }
    }
}
