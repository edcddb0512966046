import Model
import Placement
import Store
import Testing
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

extension Stage {
    /// What a node of this stage says of itself, the pool as `zfs` tells it.
    func say(_ node: String, memory: Int64 = 1 << 30, pool: JSONObject) async throws {
        var pool = pool
        pool["name"] = "tank"
        let facts: JSONObject = [
            "drivers": [
                ["name": "docker"], ["name": "host", "facts": ["processors": 4, "memory_bytes": .integer(memory)]],
                ["name": "zfs", "facts": ["pools": [.object(pool)]]],
            ]
        ]
        try await store.recordHello(
            NodeHello(
                node: node, agentVersion: "1", facts: facts, boot: "b", cpuMillis: 4000, memoryBytes: memory,
                diskBytes: 0), at: clock.port.now())
    }

    func candidate(_ node: String) async throws -> Candidate {
        let all = try await store.atomically { store throws(StoreError) in
            try store.candidates(connected: [node], loads: [:])
        }
        return try #require(all.first { $0.id == node })
    }
}

@Suite struct ApprovalTests {
    @Test func `a node that nobody has approved takes no service, whatever it claims to have`() async throws {
        try await Stage.with { stage in
            try await stage.addNode("nod_2", memory: 1 << 40, approved: false)
            let request = ServiceRequest(customer: "c", plan: "small")
            let words = try await stage.operations.explainPlacement(request).words
            #expect(words.first { $0.node == "nod_2" }?.verdict == .excluded([.notApproved]))
            let service = try await stage.provision()
            #expect(service.node == "nod_1")
        }
    }

    @Test func `a container that a stranger reports draws no service to it`() async throws {
        try await Stage.with { stage in
            try await stage.addNode("nod_2", memory: 1 << 40, approved: false)
            let made = try await stage.create()
            try await stage.store.recordInventory(
                InventoryReport(
                    node: "nod_2", driver: "docker", generation: 1, isFull: true,
                    items: [("docker/\(made.service.id)", ["state": "running"])]), at: stage.clock.port.now())
            #expect(try await stage.finish(made.operation.id).state == .succeeded)
            #expect(try await stage.service(made.service.id).node == "nod_1")
        }
    }

    @Test func `it is told no secrets, asked to change nothing, and is no end of a transfer`() async throws {
        try await Stage.with { stage in
            try await stage.addNode("nod_2", approved: false)
            let catalogue: JSONValue = [
                [
                    "driver": "docker",
                    "operations": [
                        ["name": "container.list", "kind": "observe"], ["name": "container.stop", "kind": "mutate"],
                    ],
                ]
            ]
            try await stage.store.recordHello(
                NodeHello(
                    node: "nod_2", agentVersion: "1", facts: [:], boot: "b", cpuMillis: 1, memoryBytes: 1,
                    diskBytes: 0, catalogue: catalogue), at: stage.clock.port.now())
            func order(_ operation: String, secrets: JSONObject = [:]) async -> CoreError? {
                do throws(CoreError) {
                    _ = try await stage.operations.command(
                        CommandRequest(operation: operation, secrets: secrets), on: "nod_2", by: Stage.by)
                    return nil
                } catch { return error }
            }
            #expect(await order("docker.container.list") == nil)
            for (operation, secrets) in [
                ("docker.container.stop", [:]), ("docker.container.list", ["env": ["A": "b"]]),
            ] as [(String, JSONObject)] {
                guard case .notAllowedInState(_, "not approved", _)? = await order(operation, secrets: secrets) else {
                    Issue.record("\(operation) was taken")
                    continue
                }
            }
            let transfer = TransferRequest(
                from: .init(node: "nod_1", dataset: "tank/a"), to: .init(node: "nod_2", dataset: "tank/a"),
                snapshot: "s")
            await #expect(throws: CoreError.self) { try await stage.operations.transfer(transfer, by: Stage.by) }
            // The same is asked at the node's door, for whatever did not come this way.
            let command = NodeCommand(
                node: "nod_2", driver: "docker", action: "x", resource: "r", secrets: ["a": "b"],
                deadline: .seconds(1), mutates: false)
            #expect(!command.isLook)
        }
    }

    @Test func `what cannot be believed of a pool is not sold`() async throws {
        try await Stage.with { stage in
            try await stage.say("nod_1", pool: ["size_bytes": .integer(8 << 50), "free_bytes": .integer(8 << 50)])
            #expect(try await stage.candidate("nod_1").pools.map(\.sizeBytes) == [0])
            try await stage.store.updateNode("nod_1") { $0.approvedClaims = NodeClaims(pools: ["tank": 100]) }
            try await stage.say("nod_1", pool: ["size_bytes": 1000, "free_bytes": 1000])
            #expect(try await stage.candidate("nod_1").pools.map(\.sizeBytes) == [100])
            #expect(try await stage.candidate("nod_1").pools.map(\.freeBytes) == [100])
        }
    }
}

@Suite struct `The room of a node` {
    @Test func `is what data sets can have of a pool, not its disks, less what others have there`() async throws {
        try await Stage.with { stage in
            // Six disks in a RAIDZ2: two thirds of the raw size are usable. A half is in use.
            try await stage.say(
                "nod_1", pool: ["size_bytes": 6000, "free_bytes": 3000, "available_bytes": 2000])
            var pool = try #require(try await stage.candidate("nod_1").pools.first)
            #expect(pool.sizeBytes == 4000 && pool.freeBytes == 2000 && pool.othersBytes == 2000)
            // Once the node tells what our own data sets take, only the rest is others'.
            try await stage.store.recordInventory(
                InventoryReport(
                    node: "nod_1", driver: "zfs", generation: 1, isFull: true,
                    items: [("zfs/tank/innkeeper", ["used_bytes": 1500])]), at: stage.clock.port.now())
            pool = try #require(try await stage.candidate("nod_1").pools.first)
            #expect(pool.othersBytes == 500)
        }
    }

    @Test(arguments: ["SUSPENDED", "FAULTED", "UNAVAIL", "OFFLINE", "REMOVED", "of a later version"])
    func `is not on a pool that stands still, and the reason is told`(_ health: String) async throws {
        try await Stage.with { stage in
            try await stage.addNode("nod_2")
            for node in ["nod_1", "nod_2"] {
                let whole: JSONObject = [
                    "health": .string(health), "size_bytes": 4_294_967_296, "free_bytes": 4_294_967_296,
                ]
                try await stage.say(node, pool: node == "nod_1" ? whole : ["health": .string(health)])
            }
            let candidates = [try await stage.candidate("nod_1"), try await stage.candidate("nod_2")]
            let demand = Demand(
                resources: Resources(cpuMillis: 1, memoryBytes: 1, diskBytes: 1), drivers: [], labels: [:], pool: nil,
                strategy: .spread)
            let result = Scheduler().place(demand, on: candidates)
            #expect(result.choice == nil)
            #expect(result.reasons.contains("its storage pool tank is \(health.lowercased())"), "\(result.reasons)")
        }
    }

    @Test(arguments: ["ONLINE", "DEGRADED"])
    func `is on a pool that works, be a disk of it broken`(_ health: String) async throws {
        try await Stage.with { stage in
            try await stage.say("nod_1", pool: ["health": .string(health), "size_bytes": 6000, "free_bytes": 3000])
            let pool = try #require(try await stage.candidate("nod_1").pools.first)
            #expect(pool.fault == nil && pool.sizeBytes == 6000)
        }
    }

    @Test func `is without the memory that guests of others may take`() async throws {
        try await Stage.with { stage in
            try await stage.store.recordInventory(
                InventoryReport(
                    node: "nod_1", driver: "proxmox", generation: 1, isFull: true,
                    items: [("proxmox/ct/100", ["status": "running", "memory_mib": 1000])]),
                at: stage.clock.port.now())
            #expect(try await stage.candidate("nod_1").foreignMemoryBytes == 1000 << 20)
            let made = try await stage.create()
            #expect(try await stage.finish(made.operation.id).error?.code == "no_room")
        }
    }
}
