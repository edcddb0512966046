import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import WordPressProduct

/// Backups as the core keeps them.
@Suite struct SiteBackupTests {
    private func backedUp(_ stage: SiteStage) async throws -> (site: ServiceRecord, backup: BackupRecord) {
        let site = try await stage.site()
        let made = try await stage.operations.backUp(site.id, by: SiteStage.by)
        #expect(try await stage.finish(made.operation.id).state == .succeeded)
        return (site, try #require(try await stage.store.newestBackup(service: site.id)))
    }

    @Test(arguments: [
        "backups:backup/vzdump-lxc-101-1.tar.zst", "other:backup/vzdump-lxc-100-1.tar.zst", "backups:backup/ct/1001/x",
    ])
    func `what a node names and is not the site's is no backup of it`(name: String) async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            stage.cluster.change { $0.namedBackup = name }
            let made = try await stage.operations.backUp(site.id, by: SiteStage.by)
            let ended = try await stage.finish(made.operation.id)
            #expect(ended.state == .failed && ended.error?.code == "no_backup", "\(ended.error?.message ?? "")")
            #expect(try await stage.store.backups(service: site.id).isEmpty)
        }
    }

    // MARK: by schedule

    @Test func `services are backed up when their turn has come, one at a time on a node`() async throws {
        try await SiteStage.with { stage in
            stage.cluster.change { $0.away = ["nod_2", "nod_3"] }
            let first = try await stage.site()
            let second = try await stage.site("bob@example.org", externalID: "order-2")
            let keeper = ScheduledBackups(operations: stage.operations)
            #expect(try await stage.reconcile(keeper).isEmpty, "their turn of today was before they were")
            stage.pass(.days(1))
            let one = try await stage.reconcile(keeper)
            let two = try await stage.reconcile(keeper)
            #expect(Set((one + two).compactMap(\.service)) == [first.id, second.id])
            #expect(one.map(\.state) == [.succeeded] && two.map(\.state) == [.succeeded])
            #expect(one.first?.requestedBy == "reconciler/backup-schedule")
            #expect(try await stage.reconcile(keeper).isEmpty)
            let backups = try await stage.store.backups(service: first.id)
            #expect(backups.map(\.cause) == [.schedule])
            // By hand counts as well.
            stage.pass(.seconds(3600))
            let byHand = try await stage.operations.backUp(first.id, by: SiteStage.by)
            try await stage.finish(byHand.operation.id)
            #expect(try await stage.store.backups(service: first.id).map(\.cause) == [.demand])
            stage.pass(.days(1))
            #expect(try await stage.reconcile(keeper).count == 1)
        }
    }

    @Test func `one that fails rests, is told when it is overdue, and settled when it is made`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let keeper = ScheduledBackups(operations: stage.operations)
            stage.pass(.days(1))
            stage.cluster.change { ($0.numbers, $0.faults) = ([:], [2: .refused]) }
            #expect(try await stage.reconcile(keeper).map(\.state) == [.failed])
            #expect(try await stage.reconcile(keeper).isEmpty)
            #expect(try await stage.openFindings(site).isEmpty)
            stage.cluster.change { $0.away = ["nod_1", "nod_2", "nod_3"] }
            stage.pass(.days(1))
            #expect(try await stage.reconcile(keeper).isEmpty, "its node is away")
            #expect(try await stage.openFindings(site) == ["service.backup_overdue"])
            stage.cluster.change { $0.away = [] }
            #expect(try await stage.reconcile(keeper).map(\.state) == [.succeeded])
            _ = try await stage.reconcile(keeper)
            #expect(try await stage.openFindings(site).isEmpty)
        }
    }

    @Test func `a plan without a schedule makes none, one that keeps none refuses`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            try await stage.store.updateService(site.id, at: stage.clock.port.now()) {
                $0.spec["backups"] = ["retention": 1, "schedule": "none", "storage": "backups"]
            }
            stage.pass(.days(9))
            #expect(try await stage.reconcile(ScheduledBackups(operations: stage.operations)).isEmpty)
            try await stage.store.updateService(site.id, at: stage.clock.port.now()) { $0.spec["backups"] = nil }
            await #expect(throws: CoreError.self) {
                try await stage.operations.backUp(site.id, by: SiteStage.by)
            }
        }
    }

    @Test func `what is missing is no backup for the schedule`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            let keeper = ScheduledBackups(operations: stage.operations)
            stage.cluster.change { $0.away = ["nod_1", "nod_2", "nod_3"] }
            stage.pass(.days(1))
            let other = try await stage.operations.backUp(site.id, by: SiteStage.by)
            stage.cluster.change { $0.away = [] }
            #expect(try await stage.finish(other.operation.id).state == .succeeded)
            let newest = try #require(try await stage.store.newestBackup(service: site.id))
            #expect(newest.id != backup.id)
            stage.pass(.seconds(12 * 3600 + 60))
            try await stage.store.updateBackup(newest.id) { $0.state = .missing }
            #expect(try await stage.store.newestBackup(service: site.id) == nil)
            #expect(try await stage.reconcile(keeper).map(\.state) == [.succeeded])
            #expect(try await stage.store.newestBackup(service: site.id)?.cause == .schedule)
            // One is kept, and what was missing is off the books.
            #expect(try await stage.store.backups(service: site.id).map(\.state) == [.available])
        }
    }

    @Test func `what is missing takes no place among those that are kept`() {
        func backup(_ number: Int64, _ state: BackupRecord.State = .available) -> BackupRecord {
            var record = BackupRecord(
                id: "bak_\(number)", service: "s", name: "n", node: nil, sizeBytes: nil, cause: .demand,
                madeAt: Timestamp(milliseconds: number))
            record.state = state
            return record
        }
        func gone(_ keep: Int, _ all: [BackupRecord]) -> [String] { BackUpSite.beyond(keep, all).map(\.id) }
        #expect(gone(3, [backup(1), backup(2)]).isEmpty)
        #expect(gone(3, [backup(1), backup(2), backup(3)]) == ["bak_1"])
        #expect(gone(3, [backup(1), backup(2, .missing), backup(3, .missing)]) == ["bak_2"])
        #expect(gone(2, [backup(1), backup(2, .missing), backup(3, .missing)]) == ["bak_2", "bak_3"])
        #expect(gone(1, [backup(1), backup(2, .missing)]) == ["bak_1", "bak_2"])
        #expect(gone(3, [backup(1, .missing)]).isEmpty)
    }

    // MARK: read back

    @Test func `a backup counts as verified when its storage lists it with its size`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            #expect(backup.verifiedAt == nil)
            let keeper = BackupVerification()
            try await keeper.reconcile(stage.dependencies)
            let first = try #require(try await stage.store.backup(backup.id))
            #expect(first.verifiedAt != nil && first.state == .available)
            // Not again before tomorrow.
            stage.pass(.seconds(600))
            try await keeper.reconcile(stage.dependencies)
            #expect(try await stage.store.backup(backup.id)?.verifiedAt == first.verifiedAt)

            for wrong in ["size", "gone"] {
                stage.cluster.change { state in
                    if wrong == "size" { state.belongings.sizes[backup.name] = 99 }
                    if wrong == "gone" { state.belongings.backups[backup.name] = nil }
                }
                stage.pass(.days(1))
                try await keeper.reconcile(stage.dependencies)
                let lost = try #require(try await stage.store.backup(backup.id))
                #expect(lost.state == .missing && lost.verifiedAt != nil, "\(wrong)")
                #expect(try await stage.openFindings(site) == ["service.backup_missing"])
                stage.cluster.change { state in
                    state.belongings.sizes = [:]
                    state.belongings.backups[backup.name] = .init(home: nil, memory: 1)
                }
                stage.pass(.seconds(3601))
                try await keeper.reconcile(stage.dependencies)
                #expect(try await stage.store.backup(backup.id)?.state == .available, "\(wrong)")
                #expect(try await stage.openFindings(site).isEmpty)
            }
        }
    }

    @Test func `where the node gives no answer, nothing is said of a backup`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            stage.cluster.change { $0.away = ["nod_1", "nod_2", "nod_3"] }
            try await BackupVerification().reconcile(stage.dependencies)
            let seen = try #require(try await stage.store.backup(backup.id))
            #expect(seen.state == .available && seen.verifiedAt == nil)
            #expect(try await stage.openFindings(site).isEmpty)
        }
    }

    @Test func `where the node that made a backup is away, only one that reaches its storage is asked`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            let maker = try #require(backup.node)
            let other = try #require(["nod_1", "nod_2", "nod_3"].first { $0 != maker })
            // The site has moved on, and the other node lists a storage of the same name without the backup.
            try await stage.store.updateService(site.id, at: stage.clock.port.now()) { $0.node = other }
            let kept = stage.cluster.belongings.backups
            stage.cluster.change { ($0.away, $0.backupsAreShared, $0.belongings.backups) = ([maker], false, [:]) }
            let keeper = BackupVerification()
            try await keeper.reconcile(stage.dependencies)
            var seen = try #require(try await stage.store.backup(backup.id))
            #expect(seen.state == .available && seen.verifiedAt == nil)
            #expect(try await stage.openFindings(site).isEmpty)
            // When that lasts, it is told, and why.
            stage.pass(.days(3))
            try await keeper.reconcile(stage.dependencies)
            #expect(try await stage.openFindings(site) == ["service.backup_unverified"])
            let finding = try await stage.store.findings(FindingFilter(service: site.id)).items.first
            #expect(finding?.summary.contains("is away") == true && finding?.summary.contains("node-") == true)
            // On a storage that all reach the other one's word counts.
            stage.cluster.change { ($0.backupsAreShared, $0.belongings.backups) = (true, kept) }
            stage.pass(.seconds(3601))
            try await keeper.reconcile(stage.dependencies)
            seen = try #require(try await stage.store.backup(backup.id))
            #expect(seen.state == .available && seen.verifiedAt != nil)
            #expect(try await stage.openFindings(site).isEmpty)
        }
    }

    @Test func `a node is not asked to restore or remove what lies with another one alone`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            let maker = try #require(backup.node)
            let number = try #require(["nod_1", "nod_2", "nod_3"].first { $0 != maker }?.last)
            #expect(try await stage.order("move", site.id, ["node": .string("node-\(number)")]).state == .succeeded)
            stage.cluster.change { $0.backupsAreShared = false }
            let before = stage.cluster.belongings.guests
            let made = try await stage.operations.restoreBackup(backup.id, by: SiteStage.by)
            let refused = try await stage.finish(made.operation.id)
            #expect(refused.error?.code == "out_of_reach", "\(refused.error?.message ?? "")")
            #expect(refused.error?.message.contains("alone") == true)
            #expect(stage.cluster.belongings.guests == before)
            stage.cluster.change { $0.backupsAreShared = true }
            let again = try await stage.operations.restoreBackup(backup.id, by: SiteStage.by)
            #expect(try await stage.finish(again.operation.id).state == .succeeded)
            // It is removed where it lies.
            stage.cluster.change { ($0.backupsAreShared, $0.calls) = (false, []) }
            let removed = try await stage.operations.removeBackup(backup.id, by: SiteStage.by)
            #expect(try await stage.finish(removed.operation.id).state == .succeeded)
            let asked = stage.cluster.state.withLock { $0.calls.filter { $0.action == "backup.destroy" }.map(\.node) }
            #expect(asked == [maker])
        }
    }

    @Test func `a copy of what lies with a node that is away goes nowhere else`() async throws {
        try await SiteStage.with { stage in
            let (_, backup) = try await backedUp(stage)
            let maker = try #require(backup.node)
            stage.cluster.change { ($0.away, $0.backupsAreShared) = ([maker], false) }
            let made = try await stage.operations.restoreBackup(
                backup.id, into: RestoreRequest(externalID: "copy"), by: SiteStage.by)
            let ended = try await stage.finish(made.operation.id)
            #expect(ended.state == .failed, "\(ended.error?.message ?? "")")
            #expect(stage.cluster.belongings.guests.count == 1)
            stage.cluster.change { $0.backupsAreShared = true }
            let again = try await stage.operations.retry(made.service.id, by: SiteStage.by)
            let done = try await stage.finish(again.operation.id)
            #expect(done.state == .succeeded, "\(done.error?.message ?? "")")
            #expect(try await stage.service(made.service.id).node != maker)
        }
    }

    @Test func `the end of a site waits for what is being made of its backups`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            let copy = try await stage.operations.restoreBackup(backup.id, into: RestoreRequest(), by: SiteStage.by)
            let end = try await stage.operations.terminate(site.id, by: SiteStage.by)
            func waiting() async throws -> Set<String> {
                try await stage.store.atomically { store throws(StoreError) in
                    try store.waitingForCopies(store.unfinishedOperations(), stage.dependencies.catalogue)
                }
            }
            #expect(try await waiting() == [end.operation.id])
            let lines = try await stage.store.log(end.operation.id).map(\.text)
            #expect(lines.contains { $0.hasPrefix("waits for operation \(copy.operation.id)") }, "\(lines)")
            #expect(try await stage.finish(copy.operation.id).state == .succeeded)
            #expect(try await waiting().isEmpty)
            #expect(try await stage.finish(end.operation.id).state == .succeeded)
            #expect(stage.cluster.belongings.guests.values.map(\.service) == [copy.service.id])
        }
    }

    @Test func `a site that goes back to before its domain is reached under it all the same`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            _ = try await stage.add("example.net", to: site)
            try await stage.tellProof(site.id)
            stage.leadHere("example.net")
            let checked = try await stage.operations.checkDomain("example.net", of: site.id, by: SiteStage.by)
            #expect(try await stage.finish(checked.operation.id).state == .succeeded)
            #expect(stage.cluster.belongings.guests[100]?.home == "https://example.net")
            let made = try await stage.operations.restoreBackup(backup.id, by: SiteStage.by)
            #expect(try await stage.finish(made.operation.id).state == .succeeded)
            #expect(stage.cluster.belongings.guests[100]?.home == "https://example.net")
        }
    }

    // MARK: restored into another service

    @Test func `the same order is the same service, another one is a conflict`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            let wanted = RestoreRequest(externalID: "copy-1", plan: "standard", customer: "cus-9")
            let first = try await stage.operations.restoreBackup(backup.id, into: wanted, by: SiteStage.by)
            let again = try await stage.operations.restoreBackup(backup.id, into: wanted, by: SiteStage.by)
            #expect(first.created && !again.created && first.service.id == again.service.id)
            await #expect(throws: CoreError.self) {
                try await stage.operations.restoreBackup(
                    backup.id, into: RestoreRequest(externalID: "copy-1"), by: SiteStage.by)
            }
            #expect(try await stage.finish(first.operation.id).state == .succeeded)
            let copy = try await stage.service(first.service.id)
            #expect(copy.customer == "cus-9" && copy.plan == "standard" && copy.spec["email"] == "jane@example.org")
            let guest = try #require(stage.cluster.belongings.guests[101])
            #expect(guest.memory == 4096 && guest.disk == 40 && guest.cores == 2 && guest.service == copy.id)
            // The one that it is of stays as it was.
            #expect(stage.cluster.belongings.guests[100]?.home == "https://jane.sites.example.org")
            #expect(try await stage.service(site.id).state == .running)
            // Its own are its own.
            #expect(try await stage.store.backups(service: copy.id).isEmpty)
            #expect(try await stage.order("back-up", copy.id).state == .succeeded)
            #expect(try await stage.order("terminate", copy.id).state == .succeeded)
            #expect(stage.cluster.belongings.backups.count == 1)
        }
    }

    @Test func `a number that a stranger has is passed over, and what was half made gives way`() async throws {
        try await SiteStage.with { stage in
            let (_, backup) = try await backedUp(stage)
            let stranger = Belongings.Guest(
                node: "nod_1", service: nil, nonce: "", memory: 1, cores: 1, disk: 1, address: "192.0.2.200",
                hostname: "theirs")
            stage.cluster.change { state in
                state.belongings.guests[101] = stranger
                // The restoration itself is done, and nobody hears of it.
                (state.numbers, state.faults) = ([:], [3: .interruptedAfter])
            }
            let made = try await stage.operations.restoreBackup(backup.id, into: RestoreRequest(), by: SiteStage.by)
            let ended = try await stage.finish(made.operation.id)
            #expect(ended.state == .succeeded, "\(ended.error?.message ?? "")")
            #expect(stage.cluster.belongings.guests[101] == stranger)
            #expect(stage.cluster.belongings.guests[102]?.service == made.service.id)
            #expect(stage.cluster.belongings.guests.count == 3)
        }
    }

    @Test func `a backup that another service is made of is not removed meanwhile`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            let made = try await stage.operations.restoreBackup(backup.id, into: RestoreRequest(), by: SiteStage.by)
            await #expect(throws: CoreError.self) {
                try await stage.operations.removeBackup(backup.id, by: SiteStage.by)
            }
            await #expect(throws: CoreError.self) {
                try await stage.operations.restoreBackup(backup.id, into: RestoreRequest(), by: SiteStage.by)
            }
            // Nor by the retention.
            #expect(try await stage.order("back-up", site.id).state == .succeeded)
            #expect(stage.cluster.belongings.backups.count == 2)
            #expect(try await stage.finish(made.operation.id).state == .succeeded)
            let removed = try await stage.operations.removeBackup(backup.id, by: SiteStage.by)
            #expect(try await stage.finish(removed.operation.id).state == .succeeded)
            #expect(try await stage.store.backup(backup.id) == nil)
        }
    }

    @Test func `where the first try failed, the next is made of the backup as well`() async throws {
        try await SiteStage.with { stage in
            let (_, backup) = try await backedUp(stage)
            let made = try await stage.operations.restoreBackup(backup.id, into: RestoreRequest(), by: SiteStage.by)
            let kept = stage.cluster.belongings.backups
            stage.cluster.change { $0.belongings.backups = [:] }
            #expect(try await stage.finish(made.operation.id).error?.code == "not_found")
            #expect(stage.cluster.belongings.guests.count == 1)
            stage.cluster.change { $0.belongings.backups = kept }
            let again = try await stage.operations.retry(made.service.id, by: SiteStage.by)
            #expect(try await stage.finish(again.operation.id).state == .succeeded)
            #expect(stage.cluster.log.filter { $0 == "container.create" }.count == 1)
            #expect(stage.cluster.belongings.guests.values.contains { $0.service == made.service.id })
        }
    }

    @Test func `the next try holds the backup as the first did, and is refused where it is gone`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            let made = try await stage.operations.restoreBackup(backup.id, into: RestoreRequest(), by: SiteStage.by)
            let kept = stage.cluster.belongings.backups
            stage.cluster.change { $0.belongings.backups = [:] }
            #expect(try await stage.finish(made.operation.id).state == .failed)
            stage.cluster.change { $0.belongings.backups = kept }
            try await stage.store.updateBackup(backup.id) { $0.state = .missing }
            await #expect(throws: CoreError.self) {
                try await stage.operations.retry(made.service.id, by: SiteStage.by)
            }
            try await stage.store.updateBackup(backup.id) { $0.state = .available }
            let again = try await stage.operations.retry(made.service.id, by: SiteStage.by)
            #expect(try await stage.store.backup(backup.id)?.heldBy == again.operation.id)
            await #expect(throws: CoreError.self) {
                try await stage.operations.removeBackup(backup.id, by: SiteStage.by)
            }
            // Nor does its end take the backup away from the copy.
            let end = try await stage.operations.terminate(site.id, by: SiteStage.by)
            let ended = try await stage.finish(end.operation.id)
            #expect(ended.state != .succeeded && ended.error?.code == "in_use")
            #expect(stage.cluster.belongings.backups == kept)
            #expect(try await stage.finish(again.operation.id).state == .succeeded)
            #expect(stage.cluster.belongings.guests.values.contains { $0.service == made.service.id })
            let second = try await stage.operations.terminate(site.id, by: SiteStage.by)
            #expect(try await stage.finish(second.operation.id).state == .succeeded)
            #expect(stage.cluster.belongings.backups.isEmpty)
            await #expect(throws: CoreError.self) {
                try await stage.operations.retry(made.service.id, by: SiteStage.by)
            }
        }
    }

    @Test func `a copy goes to a node that reaches the backup`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            stage.cluster.change { $0.backupsAreShared = false }
            for number in 1...4 {
                let made = try await stage.operations.restoreBackup(
                    backup.id, into: RestoreRequest(externalID: "copy-\(number)"), by: SiteStage.by)
                #expect(try await stage.finish(made.operation.id).state == .succeeded)
                #expect(try await stage.service(made.service.id).node == site.node)
            }
        }
    }

    @Test func `what cannot be is refused, and the field named`() async throws {
        try await SiteStage.with { stage in
            let (site, backup) = try await backedUp(stage)
            _ = try await stage.operations.createPlan(
                name: "small", product: "wordpress", spec: SiteStage.plan(disk: 10), by: SiteStage.by)
            _ = try await stage.operations.createPlan(
                name: "box",
                spec: ["image": "busybox:1", "memory_bytes": 67_108_864, "cpu_millis": 500, "disk_bytes": 134_217_728],
                by: SiteStage.by)
            func refusal(_ request: RestoreRequest, customer: String? = nil) async -> String {
                do {
                    _ = try await stage.operations.restoreBackup(
                        backup.id, into: request, by: Requester(name: "key:1", customer: customer))
                    return "none"
                } catch { return "\(error)" }
            }
            #expect(await refusal(RestoreRequest(plan: "small")).hasPrefix("into.plan has a smaller disk"))
            #expect(await refusal(RestoreRequest(plan: "box")).hasPrefix("into.plan names no plan in use of wordpress"))
            #expect(await refusal(RestoreRequest(plan: "absent")).hasPrefix("into.plan names no plan"))
            #expect(await refusal(RestoreRequest(externalID: "a b")).hasPrefix("into.external_id"))
            #expect(await refusal(RestoreRequest(), customer: "another") == "there is no backup \(backup.id)")
            #expect(
                await refusal(RestoreRequest(customer: "another"), customer: site.customer).hasPrefix("into.customer"))
            #expect(
                await refusal(RestoreRequest(externalID: "x"), customer: site.customer).hasPrefix("into.external_id"))
            _ = try await stage.operations.terminate(site.id, by: SiteStage.by)
            #expect(await refusal(RestoreRequest()).contains("is being terminated"))
            try await stage.store.updateBackup(backup.id) { $0.state = .missing }
            #expect(await refusal(RestoreRequest()).contains("not on its storage"))
        }
    }
}
