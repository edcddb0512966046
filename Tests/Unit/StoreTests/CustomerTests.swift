import Model
import Testing
import WireProtocol

@testable import Store

/// What the store finds of one customer's.
@Suite(.onEveryEngine) struct CustomerTests {
    @Test func `an event is a customer's where and while his service had what it is about`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        for node in ["n1", "n2"] { try await fixture.node(node) }
        try await fixture.service("s1", node: "n1")
        try await store.insertService(
            ServiceRecord(
                id: "s2", customer: "c2", plan: "small", createdAt: fixture.start, updatedAt: fixture.start))
        try await store.hold("docker/web", on: "n1", for: "s1", at: fixture.at(10))
        try await store.hold("docker/web", on: "n1", for: "s2", at: fixture.at(20))
        for node in ["n1", "n2"] {
            let events = [5, 15, 25].enumerated().map { index, second in
                NodeEventReport(
                    seq: Int64(index + 1), time: fixture.at(Int64(second)), driver: "docker", resource: "docker/web",
                    kind: "at.\(second)", data: [:])
            }
            _ = try await store.take(
                Intake(
                    node: node,
                    events: events + [
                        NodeEventReport(
                            seq: 4, time: fixture.at(15), driver: "host", resource: nil, kind: "boot", data: [:])
                    ]))
        }
        func kinds(_ customer: String) async throws -> [String] {
            try await store.events(customer: customer).items.map { "\($0.node) \($0.kind)" }
        }
        #expect(try await kinds("c1") == ["n1 at.15"])
        #expect(try await kinds("c2") == ["n1 at.25"])
        #expect(try await kinds("c3").isEmpty)
        // Nothing of others lies behind a page.
        let page = try await store.events(customer: "c1", page: PageRequest(limit: 1, order: .descending))
        #expect(page.items.count == 1 && page.next == nil)
    }

    @Test func `findings and allocations of a customer are those of his services`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        try await fixture.node("n1")
        try await fixture.service("s1", node: "n1")
        try await store.insertService(
            ServiceRecord(
                id: "s2", customer: "c2", plan: "small", createdAt: fixture.start, updatedAt: fixture.start))
        for service in ["s1", "s2"] {
            try await store.raise(
                Finding(
                    "drift.missing", subject: "service/\(service)", .error, node: "n1", service: service, summary: "",
                    remedy: ""), at: fixture.start)
            _ = try await store.allocate(
                AllocationRequest(kind: "port", candidates: ["1", "2"], service: service), at: fixture.start)
        }
        try await store.raise(
            Finding("node.odd", subject: "node/n1", .error, node: "n1", summary: "", remedy: ""), at: fixture.start)
        #expect(try await store.findings(FindingFilter(customer: "c1")).items.map(\.service) == ["s1"])
        #expect(try await store.findings(FindingFilter(customer: "c3")).items.isEmpty)
        #expect(try await store.allocations(AllocationFilter(customer: "c2")).items.map(\.value) == ["2"])
    }
}
