import APIModels
import Model
import Placement
import Store
import Testing
import WireProtocol

@testable import ControllerCore

/// A storage that all nodes of a cluster reach has its room once.
@Suite struct SharedStorageTests {
    private func addNode(_ stage: Stage, _ id: String, cluster: String?) async throws {
        var facts: JSONObject = [
            "storages": [
                ["storage": "san", "total_bytes": 1000, "available_bytes": 1000, "shared": true],
                ["storage": "local", "total_bytes": 1000, "available_bytes": 1000, "shared": false],
            ]
        ]
        facts["cluster"] = cluster.map { .string($0) }
        let now = stage.clock.port.now()
        try await stage.store.insertNode(NodeRecord(id: id, name: id, enrolledAt: now, approvedAt: now))
        try await stage.store.recordHello(
            NodeHello(
                node: id, agentVersion: "1", facts: ["drivers": [["name": "proxmox", "facts": .object(facts)]]],
                boot: "b", cpuMillis: 1, memoryBytes: 1, diskBytes: 0), at: now)
    }

    private func reserve(_ stage: Stage, _ service: String, _ node: String, _ pool: String, _ bytes: Int64) async throws
    {
        try await stage.store.reserve(
            Reservation(
                service: service, node: node, pool: pool, cpuMillis: 1, memoryBytes: 1, diskBytes: bytes,
                createdAt: stage.clock.port.now()))
    }

    @Test func `what is promised on one node is promised on all of its cluster, and on no other`() async throws {
        try await Stage.with { stage in
            for (id, cluster) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("alone", nil)] as [(String, String?)] {
                try await addNode(stage, id, cluster: cluster)
            }
            try await reserve(stage, "s1", "a1", "proxmox:san", 300)
            try await reserve(stage, "s2", "a2", "proxmox:san", 200)
            try await reserve(stage, "s3", "a1", "proxmox:local", 100)
            try await reserve(stage, "s4", "alone", "proxmox:san", 50)
            let all = try await stage.store.candidates(connected: [], loads: [:])
            func reserved(_ candidate: Candidate?) -> [String: Int64] {
                (candidate?.pools ?? []).reduce(into: [:]) { $0[$1.name] = $1.reservedBytes }
            }
            let expected: [String: [String: Int64]] = [
                "a1": ["san": 500, "local": 100], "a2": ["san": 500, "local": 0], "b1": ["san": 0, "local": 0],
                "alone": ["san": 50, "local": 0],
            ]
            for (node, pools) in expected {
                #expect(reserved(all.first { $0.id == node }) == pools, "\(node)")
                // By itself it is seen no otherwise.
                #expect(try await reserved(stage.store.candidate(node, connected: [])) == pools, "\(node)")
            }
        }
    }

    @Test func `people see the names of nodes beside what is held and where networks are`() async throws {
        try await Stage.with { stage in
            try await addNode(stage, "nod_a", cluster: nil)
            let service = try await stage.provision()
            _ = try await stage.operations.putNetwork(
                name: "lan", spec: ["kind": "bridge", "interface": "vmbr0", "nodes": ["node-1", "nod_a"]], by: Stage.by)
            let queries = Queries(stage.operations, for: Viewer(actor: "test", scopes: [.read], customer: nil))
            var question = AllocationQuestion()
            question.service = service.id
            let held = try await queries.allocations(question, ListPart(limit: 10)).items
            #expect(held.map(\.node) == ["nod_1", "nod_1"] && held.map(\.nodeName) == ["node-1", "node-1"])
            let network = try await queries.network("lan")
            #expect(network.nodeNames?.sorted() == ["nod_a", "node-1"])
        }
    }
}
