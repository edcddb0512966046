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
            #expect(try await stage.store.allocations(service: site.id).contains { $0.kind == "domain" })
        }
    }

    @Test func `what another service has, what is ours, and what is beyond the plan is refused`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let other = try await stage.site("bob@example.org", externalID: "order-2")
            _ = try await stage.add("example.net", to: site)
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

    @Test func `a name that nobody proves is free for others after a week`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let other = try await stage.site("bob@example.org", externalID: "order-2")
            _ = try await stage.add("example.net", to: site)
            stage.pass(.days(8))
            #expect(try await stage.reconcile(CustomerDomains(operations: stage.operations)).isEmpty)
            #expect(try await stage.store.domains(service: site.id).isEmpty)
            #expect(try await stage.add("example.net", to: other).isNew)
        }
    }

    @Test func `a suspended site keeps a name that nobody proves no longer than another one`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let other = try await stage.site("bob@example.org", externalID: "order-2")
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
            #expect(try await stage.add("example.net", to: other).isNew)
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
