import APIModels
import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import WordPressProduct

extension SiteStage {
    func add(_ domain: String, to service: ServiceRecord, by requester: Requester = SiteStage.by)
        async throws(CoreError)
        -> (record: DomainRecord, isNew: Bool)
    {
        try await operations.addDomain(domain, to: service.id, by: requester)
    }

    func leadHere(_ domain: String) {
        outside.change { state in
            for name in [domain, "www.\(domain)"] { state.told["A \(name)"] = ["203.0.113.10"] }
        }
    }

    func pass(_ duration: Duration) { clock.state.withLock { $0.milliseconds += duration.wholeMilliseconds } }

    /// Lets a reconciler look, and runs to the end what it has asked for.
    func reconcile(_ reconciler: any Reconciler) async throws -> [OperationRecord] {
        try await reconciler.reconcile(dependencies)
        var ended: [OperationRecord] = []
        for operation in try await store.operations(OperationFilter(states: [.queued])).items {
            ended.append(try await finish(operation.id))
        }
        return ended
    }

    func domain(_ name: String, of service: ServiceRecord) async throws -> DomainRecord? {
        try await store.domain(name, service: service.id)
    }

    func openFindings(_ service: ServiceRecord) async throws -> [String] {
        try await store.findings(FindingFilter(service: service.id, withResolved: false)).items.map(\.kind).sorted()
    }
}

/// Domains as the core keeps them.
@Suite struct SiteDomainTests {
    @Test func `a domain is taken up once, and shows what its customer has to do`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let first = try await stage.add("WWW.Bücher.Example.", to: site)
            #expect(first.isNew && first.record.name == "xn--bcher-kva.example")
            let again = try await stage.add("bücher.example", to: site)
            #expect(!again.isNew && again.record == first.record)
            let viewer = Viewer(actor: "key:1", scopes: [.read], customer: site.customer)
            let shown = try await Queries(stage.operations, for: viewer).domains(of: site.id).items
            #expect(shown.count == 1 && shown[0].unicode == "bücher.example" && shown[0].state == "awaiting_proof")
            #expect(shown[0].proof.name == "_innkeeper.xn--bcher-kva.example" && shown[0].proof.type == "TXT")
            #expect(shown[0].proof.value == "innkeeper-verification=\(first.record.token)")
            #expect(
                shown[0].records.map { "\($0.type) \($0.name) \($0.value)" } == [
                    "A xn--bcher-kva.example 203.0.113.10", "A www.xn--bcher-kva.example 203.0.113.10",
                ])
            // Waiting for its proof keeps it from nobody.
            #expect(try await !stage.store.allocations(service: site.id).contains { $0.kind == "domain" })
        }
    }

    @Test func `what another service has, what is ours, and what is beyond the plan is refused`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let other = try await stage.site("bob@example.org", externalID: "order-2")
            _ = try await stage.add("example.net", to: site)
            try await stage.tellProof(site.id)
            let proof = try await stage.operations.checkDomain("example.net", of: site.id, by: SiteStage.by)
            #expect(try await stage.finish(proof.operation.id).state == .succeeded)
            func refusal(_ domain: String, _ service: ServiceRecord, by requester: Requester = SiteStage.by) async
                -> CoreError?
            {
                do { _ = try await stage.add(domain, to: service, by: requester) } catch { return error }
                return nil
            }
            guard case .conflict(let taken) = await refusal("www.example.net", other) else {
                return #expect(Bool(false), "it was taken twice")
            }
            #expect(taken.contains("in use already") && !taken.contains(site.id))
            guard case .conflict(let quota) = await refusal("example.com", site) else {
                return #expect(Bool(false), "more than the plan allows")
            }
            #expect(quota.contains("the plan allows one domain"))
            for domain in [
                "sites.example.org", "a.sites.example.org", "example.org", "co.uk", "not a domain", "192.0.2.1",
            ] {
                guard case .unusable(field: "domain", _) = await refusal(domain, other) else {
                    #expect(Bool(false), "\(domain)")
                    continue
                }
            }
            let stranger = Requester(name: "key:1", customer: "somebody")
            #expect(await refusal("example.com", other, by: stranger) == .notFound(kind: "service", id: other.id))
            // Given up, another one can have it.
            let removed = try await stage.operations.removeDomain("example.net", of: site.id, by: SiteStage.by)
            #expect(try await stage.finish(removed.operation.id).state == .succeeded)
            #expect(try await stage.add("example.net", to: other).isNew)
            await #expect(throws: CoreError.notFound(kind: "domain", id: "example.net")) {
                try await stage.operations.checkDomain("example.net", of: site.id, by: SiteStage.by)
            }
        }
    }

    @Test func `the installed list of public suffixes decides`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            var dependencies = stage.dependencies
            dependencies.suffixes = try #require(PublicSuffixes(list: "*.example"))
            let operations = Operations(dependencies: dependencies)
            await #expect(throws: CoreError.self) {
                _ = try await operations.addDomain("shop.example", to: site.id, by: SiteStage.by)
            }
            #expect(try await operations.addDomain("a.shop.example", to: site.id, by: SiteStage.by).isNew)
        }
    }

    @Test func `a check that waits is not asked for a second time`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            _ = try await stage.add("example.net", to: site)
            let first = try await stage.operations.checkDomain("example.net", of: site.id, by: SiteStage.by)
            let second = try await stage.operations.checkDomain("www.example.net", of: site.id, by: SiteStage.by)
            #expect(first.created && !second.created && first.operation.id == second.operation.id)
        }
    }

    // MARK: without being asked

    @Test func `a domain goes all the way by itself, and only what is to be done becomes an operation`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let keeper = CustomerDomains(operations: stage.operations)
            _ = try await stage.add("example.net", to: site)
            #expect(try await stage.reconcile(keeper).isEmpty)
            var seen = try #require(try await stage.domain("example.net", of: site))
            #expect(seen.state == .awaitingProof && seen.checkedAt != nil && seen.reason.contains("no TXT record"))
            try await stage.tellProof(site.id)
            // Its time has not come.
            #expect(try await stage.reconcile(keeper).isEmpty)
            stage.pass(.seconds(120))
            let proven = try await stage.reconcile(keeper)
            #expect(proven.map(\.kind) == ["check-domain"] && proven[0].requestedBy == "reconciler/domains")
            seen = try #require(try await stage.domain("example.net", of: site))
            #expect(seen.state == .proven && seen.zone == "outside" && seen.reason.contains("leads nowhere"))
            stage.pass(.seconds(120))
            #expect(try await stage.reconcile(keeper).isEmpty)
            stage.leadHere("example.net")
            stage.pass(.seconds(3600))
            #expect(try await stage.reconcile(keeper).map(\.state) == [.succeeded])
            seen = try #require(try await stage.domain("example.net", of: site))
            #expect(seen.state == .active && seen.isServed && seen.reason.isEmpty)
            stage.pass(.days(2))
            #expect(try await stage.reconcile(keeper).isEmpty)
        }
    }

    private func active(_ stage: SiteStage) async throws -> ServiceRecord {
        let site = try await stage.site()
        _ = try await stage.add("example.net", to: site)
        try await stage.tellProof(site.id)
        stage.leadHere("example.net")
        let made = try await stage.operations.checkDomain("example.net", of: site.id, by: SiteStage.by)
        #expect(try await stage.finish(made.operation.id).state == .succeeded)
        #expect(try await stage.domain("example.net", of: site)?.state == .active)
        return site
    }

    @Test(arguments: ["TXT _innkeeper.example.net", "A www.example.net"])
    func `a record that goes takes the domain back and is told, and it comes back with it`(record: String) async throws
    {
        try await SiteStage.with { stage in
            let site = try await active(stage)
            let keeper = CustomerDomains(operations: stage.operations)
            let kept = stage.outside.state.withLock { $0.told[record] }
            stage.outside.change { $0.told[record] = nil }
            stage.pass(.days(1))
            _ = try await stage.reconcile(keeper)
            // Names have bad days.
            #expect(try await stage.domain("example.net", of: site)?.state == .active)
            #expect(try await stage.openFindings(site).isEmpty)
            stage.pass(.seconds(900))
            #expect(try await stage.reconcile(keeper).isEmpty)
            let isProof = record.hasPrefix("TXT")
            #expect(try await stage.domain("example.net", of: site)?.state == (isProof ? .awaitingProof : .proven))
            #expect(try await stage.openFindings(site) == [isProof ? "domain.proof_lost" : "domain.route_lost"])
            // What serves it stays.
            #expect(stage.outside.state.withLock { $0.routes["example.net"] } != nil)
            stage.outside.change { $0.told[record] = kept }
            stage.pass(.seconds(900))
            #expect(try await stage.reconcile(keeper).map(\.state) == [.succeeded])
            #expect(try await stage.domain("example.net", of: site)?.state == .active)
            #expect(try await stage.openFindings(site).isEmpty)
        }
    }

    @Test func `one that has fallen back and cannot be served anew keeps what serves it`() async throws {
        try await SiteStage.with { stage in
            let site = try await active(stage)
            try await stage.store.updateDomain("example.net", service: site.id, at: stage.clock.port.now()) {
                $0.state = .proven
            }
            let made = try await stage.operations.checkDomain("example.net", of: site.id, by: SiteStage.by)
            stage.outside.change { $0.misled["example.net"] = "192.0.2.250" }
            stage.cluster.change { $0.faults = [:] }
            _ = try await stage.finish(made.operation.id)
            #expect(stage.outside.state.withLock { $0.routes["example.net"] } != nil)
        }
    }

    @Test func `where nobody can say, nothing changes`() async throws {
        try await SiteStage.with { stage in
            let site = try await active(stage)
            let before = try await stage.domain("example.net", of: site)
            for fault in [OutsideFault.busy, .unreachable, .refuses] {
                for number in 1...5 {
                    stage.pass(.days(2))
                    stage.outside.change { ($0.calls, $0.faults) = (0, [number: fault]) }
                    #expect(try await stage.reconcile(CustomerDomains(operations: stage.operations)).isEmpty)
                    let now = try #require(try await stage.domain("example.net", of: site))
                    #expect(now.state == .active && now.misses == 0 && now.since == before?.since)
                }
            }
        }
    }

    @Test func `a name that its service does not prove in a week goes off its books`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            _ = try await stage.add("example.net", to: site)
            stage.pass(.days(8))
            #expect(try await stage.reconcile(CustomerDomains(operations: stage.operations)).isEmpty)
            #expect(try await stage.store.domains(service: site.id).isEmpty)
        }
    }

    // MARK: several who want one name

    /// Two sites that wait for the proof of one name.
    private func rivals(_ stage: SiteStage) async throws -> (squatter: ServiceRecord, owner: ServiceRecord) {
        let squatter = try await stage.site()
        let owner = try await stage.site("bob@example.org", externalID: "order-2")
        for site in [squatter, owner] { #expect(try await stage.add("example.net", to: site).isNew) }
        stage.leadHere("example.net")
        return (squatter, owner)
    }

    private func check(_ site: ServiceRecord, _ stage: SiteStage) async throws -> OperationRecord {
        let made = try await stage.operations.checkDomain("example.net", of: site.id, by: SiteStage.by)
        return try await stage.finish(made.operation.id)
    }

    @Test func `whoever proves a name first has it, and the others hear why they do not`() async throws {
        try await SiteStage.with { stage in
            let (squatter, owner) = try await rivals(stage)
            try await stage.tellProof(owner.id)
            #expect(try await check(squatter, stage).state == .succeeded)
            #expect(try await stage.domain("example.net", of: squatter)?.state == .awaitingProof)
            #expect(try await check(owner, stage).state == .succeeded)
            #expect(try await stage.domain("example.net", of: owner)?.state == .active)
            // Also with a proof of its own: it comes too late.
            var values: [String] = []
            for site in [squatter, owner] {
                values.append(try #require(try await stage.domain("example.net", of: site)).proofValue)
            }
            let told = values
            stage.outside.change { $0.told["TXT _innkeeper.example.net"] = told }
            let late = try await check(squatter, stage)
            #expect(late.state == .failed && late.error?.code == "conflict")
            #expect(late.error?.message.contains("another service has proven it first") == true)
            #expect(late.error?.message.contains(owner.id) == false)
            var seen = try #require(try await stage.domain("example.net", of: squatter))
            #expect(seen.state == .awaitingProof && seen.reason.contains("another service has proven it first"))
            // Nobody tries again and again by himself; after a week the name goes off the books.
            let keeper = CustomerDomains(operations: stage.operations)
            stage.pass(.days(2))
            #expect(try await stage.reconcile(keeper).isEmpty)
            seen = try #require(try await stage.domain("example.net", of: squatter))
            #expect(seen.reason.contains("another service has proven it first"))
            stage.pass(.days(6))
            #expect(try await stage.reconcile(keeper).isEmpty)
            #expect(try await stage.domain("example.net", of: squatter) == nil)
            #expect(try await stage.domain("example.net", of: owner)?.state == .active)
            await #expect(throws: CoreError.self) { try await stage.add("example.net", to: squatter) }
        }
    }

    @Test func `who gives up a name that another one has proven, or ends, takes nothing of it away`() async throws {
        try await SiteStage.with { stage in
            let (squatter, owner) = try await rivals(stage)
            try await stage.tellProof(owner.id)
            #expect(try await check(owner, stage).state == .succeeded)
            func expectServed() {
                let state = stage.outside.state.withLock { $0 }
                #expect(state.routes["example.net"]?.mark == owner.id && state.zones["example.net"] != nil)
                #expect(state.certificates.contains { $0.contains("example.net") })
            }
            expectServed()
            #expect(try await stage.order("remove-domain", squatter.id, ["domain": "example.net"]).state == .succeeded)
            expectServed()
            try await stage.store.insertDomain(
                DomainRecord(service: squatter.id, name: "example.net", token: "t", addedAt: stage.clock.port.now()))
            #expect(try await stage.order("terminate", squatter.id).state == .succeeded)
            expectServed()
            #expect(try await stage.store.keeper(ofDomain: "example.net") == owner.id)
        }
    }

    @Test func `a check that is called off before there was a proof takes nothing away from who has one`() async throws
    {
        try await SiteStage.with { stage in
            let (squatter, owner) = try await rivals(stage)
            try await stage.tellProof(owner.id)
            #expect(try await check(owner, stage).state == .succeeded)
            for moment in 1...40 {
                let made = try await stage.operations.checkDomain("example.net", of: squatter.id, by: SiteStage.by)
                _ = try await stage.run(made.operation.id, stopAt: moment)
                _ = try await stage.operations.cancel(made.operation.id, by: SiteStage.by)
                if try await !stage.outcome(made.operation.id).state.isFinished {
                    try await stage.finish(made.operation.id)
                }
                let state = stage.outside.state.withLock { $0 }
                #expect(state.certificates.contains { $0.contains("example.net") }, "called off at \(moment)")
                #expect(state.routes["example.net"]?.mark == owner.id, "called off at \(moment)")
            }
        }
    }

    @Test func `what a version before, a lost proof or a failed check holds keeps a name from nobody`() async throws {
        try await SiteStage.with { stage in
            let (squatter, owner) = try await rivals(stage)
            // As a version before took it, without a proof.
            _ = try await stage.store.allocate(
                AllocationRequest(
                    kind: "domain", candidates: ["example.net"], service: squatter.id, slot: "example.net"),
                at: stage.clock.port.now())
            try await stage.tellProof(owner.id)
            #expect(try await check(owner, stage).state == .succeeded)
            #expect(try await stage.store.keeper(ofDomain: "example.net") == owner.id)
            // What was made for it is still there: the name stays its service's although the proof is gone.
            try await stage.store.updateDomain("example.net", service: owner.id, at: stage.clock.port.now()) {
                $0.state = .awaitingProof
            }
            #expect(try await stage.store.keeper(ofDomain: "example.net") == owner.id)
            // With nothing made, whoever comes with a proof is next.
            try await stage.store.updateDomain("example.net", service: owner.id, at: stage.clock.port.now()) {
                ($0.isServed, $0.zone) = (false, nil)
            }
            #expect(try await stage.store.keeper(ofDomain: "example.net") == nil)
        }
    }

    @Test func `of two checks that have seen a proof at once, one has the name`() async throws {
        try await SiteStage.with { stage in
            let (first, second) = try await rivals(stage)
            let now = stage.clock.port.now()
            let one = try await stage.operations.checkDomain("example.net", of: first.id, by: SiteStage.by)
            let other = try await stage.operations.checkDomain("example.net", of: second.id, by: SiteStage.by)
            func claim(_ site: ServiceRecord, _ operation: ServiceOperation) async throws -> Bool {
                let taken = try await stage.store.claim(
                    domain: "example.net", for: site.id, operation: operation.operation.id, at: now)
                if case .success = taken { return true }
                return false
            }
            #expect(try await claim(first, one))
            #expect(try await !claim(second, other))
            // Taken up again it has it still.
            #expect(try await claim(first, one))
            // One that has ended without coming to anything holds nothing.
            try await stage.store.updateOperation(one.operation.id) { $0.state = .failed }
            #expect(try await claim(second, other))
            try await stage.store.unclaim(
                domain: "example.net", of: first.id, operation: one.operation.id, at: now)
            #expect(try await stage.store.keeper(ofDomain: "example.net") == second.id)
            try await stage.store.unclaim(
                domain: "example.net", of: second.id, operation: other.operation.id, at: now)
            #expect(try await stage.store.keeper(ofDomain: "example.net") == nil)
        }
    }

    // MARK: while the site is suspended

    @Test func `a suspended site loses a domain without coming back, and has its own address when it does`()
        async throws
    {
        try await SiteStage.with { stage in
            let site = try await active(stage)
            #expect(stage.cluster.belongings.guests[100]?.home == "https://example.net")
            #expect(try await stage.order("suspend", site.id).state == .succeeded)
            let removed = try await stage.operations.removeDomain("example.net", of: site.id, by: SiteStage.by)
            #expect(try await stage.finish(removed.operation.id).state == .succeeded)
            var now = try await stage.service(site.id)
            #expect(now.state == .suspended && now.address["url"] == "https://jane.sites.example.org")
            #expect(stage.cluster.belongings.guests[100]?.isRunning == false)
            #expect(stage.cluster.belongings.guests[100]?.startsWithNode == false)
            #expect(stage.outside.state.withLock { $0.routes["example.net"] == nil && $0.zones["example.net"] == nil })
            #expect(try await stage.store.domains(service: site.id).isEmpty)
            // Another one can be taken up meanwhile; it waits until the site is back.
            #expect(try await stage.add("example.com", to: now).isNew)
            let early = await #expect(throws: CoreError.self) {
                try await stage.operations.checkDomain("example.com", of: site.id, by: SiteStage.by)
            }
            #expect("\(early.map { "\($0)" } ?? "")".contains("to check-domain it must be running"))
            #expect(try await stage.order("resume", site.id).state == .succeeded)
            now = try await stage.service(site.id)
            let guest = stage.cluster.belongings.guests[100]
            #expect(now.state == .running && guest?.isRunning == true)
            #expect(guest?.home == "https://jane.sites.example.org")
        }
    }

    @Test func `a suspended site waits for a proof no longer than another one`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            _ = try await stage.add("example.net", to: site)
            #expect(try await stage.order("suspend", site.id).state == .succeeded)
            let keeper = CustomerDomains(operations: stage.operations)
            stage.pass(.days(6))
            #expect(try await stage.reconcile(keeper).isEmpty)
            #expect(try await stage.store.domains(service: site.id).count == 1)
            // Proven, it stays, and nothing is done for it.
            try await stage.tellProof(site.id)
            stage.pass(.days(2))
            #expect(try await stage.reconcile(keeper).isEmpty)
            #expect(try await stage.domain("example.net", of: site)?.state == .awaitingProof)
            stage.outside.change { $0.told = [:] }
            stage.pass(.seconds(900))
            #expect(try await stage.reconcile(keeper).isEmpty)
            #expect(try await stage.store.domains(service: site.id).isEmpty)
        }
    }

    @Test func `nothing is looked at while an operation waits`() async throws {
        try await SiteStage.with { stage in
            let site = try await active(stage)
            stage.outside.change { $0.told["TXT _innkeeper.example.net"] = nil }
            _ = try await stage.operations.suspend(site.id, by: SiteStage.by)
            stage.pass(.days(2))
            try await CustomerDomains(operations: stage.operations).reconcile(stage.dependencies)
            #expect(try await stage.domain("example.net", of: site)?.misses == 0)
        }
    }
}
