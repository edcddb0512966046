import APIModels
import HTTPTypes
import Model
import Store
import Testing

@testable import API

@Suite struct `Networks and allocations over the API` {
    private let spec =
        #"{"kind":"bridge","interface":"vmbr0","subnets":[{"prefix":"192.0.2.0/24","gateway":"192.0.2.1"}]}"#

    @Test func `a network is made, shown, changed and removed`() async throws {
        let house = try await House()
        try await house.addNode()
        let made = try await house.ask(.post, "/api/v1/networks", #"{"name":"lan","spec":\#(spec)}"#)
        #expect(made.status == 201)
        #expect(try await house.ask(.post, "/api/v1/networks", #"{"name":"lan","spec":\#(spec)}"#).status == 409)
        let shown = try await house.ask(.get, "/api/v1/networks/lan").model(NetworkView.self)
        #expect(shown.spec.subnets?.first?.gateway == "192.0.2.1" && shown.held == 0)
        // Nodes are named as people do and kept by their ids.
        let body = #"{"kind":"bridge","interface":"vmbr1","nodes":["alpha"],"mac_prefix":"0A:00:00"}"#
        let changed = try await house.ask(.put, "/api/v1/networks/lan", body).model(NetworkView.self)
        #expect(changed.spec.interface == "vmbr1" && changed.spec.nodes == ["nod_1"])
        #expect(changed.spec.macPrefix == "0a:00:00" && changed.spec.subnets == nil)
        #expect(
            try await house.ask(.get, "/api/v1/networks").model(Listing<NetworkView>.self).items.map(\.name) == ["lan"])
        #expect(try await house.ask(.delete, "/api/v1/networks/lan").status == 204)
        #expect(try await house.ask(.delete, "/api/v1/networks/lan").status == 404)
        #expect(try await house.ask(.get, "/api/v1/networks/lan").status == 404)
        let audit = try await house.ask(.get, "/api/v1/audit?subject=lan").model(Listing<AuditEntry>.self)
        #expect(audit.items.map(\.action) == ["network.delete", "network.update", "network.create"])
    }

    @Test func `a problem names the field`() async throws {
        let house = try await House()
        let body = #"{"kind":"bridge","interface":"vmbr0","subnets":[{"prefix":"192.0.2.0/24","gateway":"::1"}]}"#
        let reply = try await house.ask(.put, "/api/v1/networks/lan", body)
        #expect(reply.status == 422 || reply.status == 400)
        #expect(reply.text.contains("spec.subnets[0].gateway"))
    }

    @Test func `what services hold is listed, and values are reserved and freed`() async throws {
        let house = try await House()
        _ = try await house.store.allocate(
            AllocationRequest(kind: "vmid", scope: "cluster/pve", candidates: ["100"], service: "s1"),
            at: HouseClock.start)
        let held = try await house.ask(.get, "/api/v1/allocations?kind=vmid").model(Listing<AllocationView>.self)
        #expect(held.items.map(\.value) == ["100"] && held.items.first?.until == nil)
        try await house.store.releaseAll(service: "s1", at: HouseClock.start)
        #expect(try await house.ask(.get, "/api/v1/allocations").model(Listing<AllocationView>.self).items.isEmpty)
        let past = try await house.ask(.get, "/api/v1/allocations?history=true").model(Listing<AllocationView>.self)
        #expect(past.items.first?.until == HouseClock.start)
        let body = #"{"kind":"ip","scope":"network/lan","value":"192.0.2.9","note":"printer"}"#
        let made = try await house.ask(.post, "/api/v1/withheld-values", body)
        #expect(made.status == 201)
        let value = try made.model(WithheldView.self)
        let all = try await house.ask(.get, "/api/v1/withheld-values").model(Listing<WithheldView>.self).items
        #expect(Set(all.map(\.reason)) == ["resting", "reserved"])
        #expect(try await house.ask(.delete, "/api/v1/withheld-values/\(value.id)").status == 204)
        #expect(try await house.ask(.delete, "/api/v1/withheld-values/\(value.id)").status == 404)
        let wrong = #"{"kind":"ip","value":"dns"}"#
        #expect(try await house.ask(.post, "/api/v1/withheld-values", wrong).text.contains("value"))
    }
}
