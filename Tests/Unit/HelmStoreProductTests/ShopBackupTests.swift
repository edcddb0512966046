import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import HelmStoreProduct

/// Backups of shops as the core keeps them: by schedule, in its list, removed and looked for.
@Suite struct ShopBackupTests {
    private static let daily: JSONObject = ["backups": ["retention": 2, "schedule": "daily", "size_gib": 10]]

    private func with(_ body: (ShopStage, ServiceRecord) async throws -> Void) async throws {
        try await ShopStage.with { stage in
            _ = try await stage.operations.createPlan(
                name: "daily", product: "store", spec: ShopStage.plan(Self.daily), by: ShopStage.by)
            try await body(stage, try await stage.shop(plan: "daily"))
        }
    }

    /// Runs what the schedule has ordered, and tells how many that were.
    private func turn(_ stage: ShopStage) async throws -> Int {
        try await ScheduledBackups(operations: stage.operations).reconcile(stage.dependencies)
        let waiting = try await stage.store.unfinishedOperations()
        for operation in waiting {
            let ended = try await stage.finish(operation.id)
            #expect(ended.state == .succeeded, "\(ended.error?.message ?? "")")
        }
        return waiting.count
    }

    @Test(arguments: [false, true])
    func `a schedule backs up daily, also what is suspended, and keeps as many as the plan says`(isSuspended: Bool)
        async throws
    {
        try await with { stage, shop in
            if isSuspended { #expect(try await stage.order("suspend", shop.id).state == .succeeded) }
            var made = 0
            for _ in 1...5 {
                stage.clock.state.withLock { $0.milliseconds += 86_400_000 }
                made += try await turn(stage)
                #expect(try await turn(stage) == 0)
            }
            #expect(made == 5)
            let backups = try await stage.store.backups(service: shop.id)
            #expect(backups.count == 2 && backups.allSatisfy { $0.cause == .schedule && $0.sizeBytes == 4711 })
            #expect(backups.allSatisfy { $0.verifiedAt != nil && $0.node == "nod_1" })
            // The books and the claim are of one mind.
            let there = stage.cluster.state.withLock { $0.backups.values.first }
            #expect(there == Set(backups.map(\.name)))
            let after = try await stage.service(shop.id)
            #expect(after.state == (isSuspended ? .suspended : .running))
            let mode = stage.cluster.belongings.spaces.values.first?.release?.values["mode"]
            #expect(mode == (isSuspended ? "suspended" : "running"))
        }
    }

    @Test func `one is removed by its id, one is restored by it, and others' are none of this shop's`() async throws {
        try await with { stage, shop in
            let other = try await stage.shop("hats", externalID: "order-2")
            for service in [shop.id, shop.id, other.id] {
                stage.clock.state.withLock { $0.milliseconds += 5000 }
                let made = try await stage.operations.backUp(service, by: ShopStage.by)
                #expect(try await stage.finish(made.operation.id).state == .succeeded)
            }
            let (mine, theirs) = (
                try await stage.store.backups(service: shop.id), try await stage.store.backups(service: other.id)
            )
            #expect(mine.count == 2 && theirs.count == 1)
            let gone = try await stage.operations.removeBackup(mine[0].id, by: ShopStage.by)
            #expect(try await stage.finish(gone.operation.id).state == .succeeded)
            #expect(try await stage.store.backups(service: shop.id).map(\.id) == [mine[1].id])
            let back = try await stage.operations.restoreBackup(mine[1].id, by: ShopStage.by)
            #expect(try await stage.finish(back.operation.id).state == .succeeded)
            let wrong = try await stage.order("restore", shop.id, ["backup": .string(theirs[0].id)])
            #expect(wrong.state == .failed && wrong.error?.code == "not_found")
        }
    }

    @Test func `backups whose claim is gone are missing, and nothing is concluded from a cluster that does not answer`()
        async throws
    {
        let backup = BackupRecord(
            id: "bak_1", service: "svc_1", name: "20270101-abcd", node: nil, sizeBytes: 1, madeAt: .now())
        func sighting(_ observed: JSONObject, _ status: CommandStatus = .succeeded) -> BackupOffer.Sighting {
            HelmStore.backups.read(
                CommandResult(id: "c", status: status, changed: false, observed: observed, finished: 1), backup)
        }
        #expect(sighting(["present": false]) == .gone)
        #expect(sighting(["present": true, "claims": ["files"]]) == .gone)
        #expect(sighting(["present": true, "claims": ["files", "backups"]]) == .unclear)
        #expect(sighting([:], .failed) == .unclear)
    }

    @Test(
        arguments: [
            ("made 3 17\n", 17), ("x\nmade 3 17", 17), ("made 9 17", nil), ("made 3 many", nil), ("made 3 -1", nil),
            ("", nil),
        ] as [(String, Int64?)])
    func `only its own job says how large a backup is`(_ said: String, _ size: Int64?) {
        let seen: JSONValue = [
            "pods": [
                ["name": "backup-3-x", "phase": "Succeeded", "said": .string(said)],
                ["name": "web-x", "phase": "Succeeded", "said": "made 3 99"],
                ["name": "backup-3-y", "phase": "Failed", "said": "made 3 98"],
            ]
        ]
        #expect(BackUpStore.size(of: "3", said: seen) == size)
    }

    /// A backup that is not on the list is none, and one that is listed is there.
    @Test(arguments: [Fault.refused, .failsBefore, .failsAfter])
    func `whatever fails while one is made, what is listed is there`(_ fault: Fault) async throws {
        for number in 1...12 {
            try await with { stage, shop in
                for _ in 1...2 {
                    stage.clock.state.withLock { $0.milliseconds += 5000 }
                    #expect(try await stage.order("back-up", shop.id).state == .succeeded)
                }
                stage.clock.state.withLock { $0.milliseconds += 5000 }
                stage.cluster.change { state in (state.numbers, state.faults) = ([:], [number: fault]) }
                try await stage.order("back-up", shop.id)
                let listed = try await stage.store.backups(service: shop.id)
                let there = stage.cluster.state.withLock { $0.backups.values.first ?? [] }
                #expect(listed.count == 2 && there.isSuperset(of: listed.map(\.name)), "\(fault) at \(number)")
            }
        }
    }

    @Test func `a schedule without a retention is refused`() {
        #expect(throws: CoreError.self) {
            try StoreSpec(json: ShopStage.plan(["backups": ["retention": 0, "schedule": "daily"]]))
        }
    }
}
