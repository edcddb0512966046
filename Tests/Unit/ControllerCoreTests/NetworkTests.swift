import Model
import Store
import TestSupport
import Testing
import WireProtocol

@testable import ControllerCore

@Suite struct `Networks` {
    private let by = Requester(name: "test")

    private func lan(_ members: [(String, JSONValue)] = [], prefix: String = "192.0.2.0/29") -> JSONObject {
        var spec: JSONObject = [
            "kind": "bridge", "interface": "vmbr0",
            "subnets": [["prefix": .string(prefix), "gateway": "192.0.2.1"], ["prefix": "2001:db8::/64"]],
            "resolvers": ["192.0.2.53"], "mac_prefix": "0a:00:00",
        ]
        for (key, value) in members { spec[key] = value }
        return spec
    }

    private func refusal(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch { return "\(error)" }
    }

    @Test func `give each service its addresses and one Ethernet address, and the same again`() async throws {
        try await Stage.with { stage in
            let operations = stage.operations
            _ = try await operations.createNetwork(name: "lan", spec: lan(), by: by)
            let now = Timestamp(milliseconds: 1_800_000_000_000)
            func attach(_ service: String) async throws -> NetworkAttachment {
                try await stage.store.atomically { store throws(StoreError) in
                    try store.attach(to: "lan", Taking(service: service, node: "nod_1"), at: now)
                }
            }
            let first = try await attach("s1")
            #expect(first.addresses == ["192.0.2.2/29", "2001:db8::1/64"])
            #expect(first.gateways == ["192.0.2.1"])
            #expect(first.resolvers == ["192.0.2.53"])
            #expect(first.mac.hasPrefix("0a:00:00:"))
            #expect(try await attach("s1") == first)
            for number in 2...5 { _ = try await attach("s\(number)") }
            #expect(await refusal { _ = try await attach("s6") } == "no free ip is left in network/lan")
            // Nothing of the refused one is left behind.
            #expect(try await stage.store.allocations(service: "s6").isEmpty)
            #expect(await refusal { _ = try await attach("s1") } == nil)
        }
    }

    @Test func `cannot shrink below what is held, nor go while it is in use`() async throws {
        try await Stage.with { stage in
            let operations = stage.operations
            _ = try await operations.createNetwork(name: "lan", spec: lan(), by: by)
            let now = Timestamp(milliseconds: 1_800_000_000_000)
            _ = try await stage.store.atomically { store throws(StoreError) in
                try store.attach(to: "lan", Taking(service: "s1", node: "nod_1"), at: now)
            }
            func change(_ spec: JSONObject) async -> String? {
                await refusal { _ = try await operations.putNetwork(name: "lan", spec: spec, by: by) }
            }
            let without = lan([("subnets", [["prefix": "192.0.2.0/29", "exclude": ["192.0.2.2"]]])])
            #expect(await change(without)?.contains("holds 192.0.2.2") == true)
            #expect(await change(lan([("kind", "docker")]))?.contains("in use") == true)
            #expect(await change(lan([("per_node", true)]))?.contains("in use") == true)
            #expect(await change(lan(prefix: "192.0.2.0/24")) == nil)
            #expect(
                await refusal { try await operations.removeNetwork(name: "lan", by: by) }?.contains("s1") == true)
            try await stage.store.releaseAll(service: "s1", at: now)
            #expect(await refusal { try await operations.removeNetwork(name: "lan", by: by) } == nil)
        }
    }

    @Test func `are refused with the field that cannot be`() async throws {
        try await Stage.with { stage in
            let operations = stage.operations
            func make(_ spec: JSONObject, _ name: String = "lan") async -> String? {
                await refusal { _ = try await operations.createNetwork(name: name, spec: spec, by: by) }
            }
            #expect(await make(lan(), "Lan")?.hasPrefix("name must be") == true)
            #expect(await make(lan([("kind", "wifi")])) == "spec.kind must be bridge or docker")
            #expect(await make(lan([("interface", "vm br0")]))?.hasPrefix("spec.interface must be") == true)
            #expect(await make(lan([("mac_prefix", "03:00:00")]))?.hasPrefix("spec.mac_prefix must be") == true)
            #expect(await make(lan([("resolvers", ["dns"])])) == "spec.resolvers[0] must be an address")
            #expect(await make(lan([("nodes", ["nowhere"])]))?.hasPrefix("spec.nodes[0] names no node") == true)
            #expect(await make(lan([("gateway", "x")]))?.hasPrefix("spec.gateway") == true)
            #expect(await make(lan(prefix: "192.0.2.1/29"))?.hasPrefix("spec.subnets[0].prefix must be") == true)
            #expect(await make(lan(prefix: "198.51.100.0/24")) == "spec.subnets[0].gateway must lie in 198.51.100.0/24")
            #expect(await make(lan()) == nil)
            #expect(await make(lan()) == "there is a network lan already")
            #expect(await make(lan(), "lan2") == "192.0.2.0/29 overlaps 192.0.2.0/29 of network lan")
        }
    }

    @Test func `of a cluster give numbers that none of its nodes has told of`() async throws {
        try await Stage.with { stage in
            let now = Timestamp(milliseconds: 1_800_000_000_000)
            try await stage.store.recordInventory(
                InventoryReport(
                    node: "nod_1", driver: "proxmox", generation: 1, isFull: true,
                    items: [(resource: "proxmox/ct/100", state: ["vmid": 100])]), at: now)
            func take(_ service: String) async throws -> Int64 {
                try await stage.store.atomically { store throws(StoreError) in
                    try store.takeVMID(Taking(service: service, node: "nod_1"), among: 100...102, at: now)
                }
            }
            #expect(try await take("s1") == 101)
            #expect(try await take("s1") == 101)
            #expect(try await take("s2") == 102)
            #expect(await refusal { _ = try await take("s3") }?.contains("no free vmid") == true)
        }
    }

    @Test func `let values be reserved, in the one text that they are given out as`() async throws {
        try await Stage.with { stage in
            let operations = stage.operations
            let kept = try await operations.reserveValue(
                kind: "ip", scope: "network/lan", value: "2001:DB8:0:0::1", note: "router", by: by)
            #expect(kept.value == "2001:db8::1")
            let again = try await operations.reserveValue(
                kind: "ip", scope: "network/lan", value: "2001:db8::1", note: nil, by: by)
            #expect(again == kept)
            #expect(
                await refusal {
                    _ = try await operations.reserveValue(kind: "ip", scope: "", value: "dns", note: nil, by: by)
                } == "value is no ip")
            try await operations.freeValue(kept.id, by: by)
            #expect(await refusal { try await operations.freeValue(kept.id, by: by) }?.contains("there is no") == true)
            let actions = try await stage.store.auditLog(page: PageRequest(limit: 10)).items.map(\.action)
            #expect(actions.contains("value.reserve") && actions.contains("value.free"))
        }
    }
}
