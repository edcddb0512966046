import Model
import Store
import Testing

@testable import ControllerCore

@Suite struct DomainVerdictTests {
    private static let start = Timestamp(milliseconds: 1_800_000_000_000)

    private func domain(_ state: DomainRecord.State) -> DomainRecord {
        DomainRecord(service: "s", name: "example.net", token: "t", state: state, addedAt: Self.start)
    }

    private func judge(
        _ domain: DomainRecord, proven: Bool = true, _ objection: String? = nil, after: Duration = .zero
    ) -> DomainVerdict {
        DomainVerdict(domain, DomainSight(isProven: proven, objection: objection), at: Self.start + after)
    }

    @Test func `an unproven one waits, longer and longer, and nothing is done for it`() {
        let verdict = judge(domain(.awaitingProof), proven: false, after: .seconds(4000))
        #expect(!verdict.wantsCheck && verdict.loss == nil && verdict.record.state == .awaitingProof)
        #expect(verdict.record.reason.contains("_innkeeper.example.net with innkeeper-verification=t"))
        #expect(verdict.record.dueAt == Self.start + .seconds(5000))
        #expect(DomainVerdict.pause(.zero) == .seconds(60))
        #expect(DomainVerdict.pause(.days(30)) == .seconds(21_600))
    }

    @Test func `one that nobody proves for a week is given up, unless something was made for it`() {
        #expect(!judge(domain(.awaitingProof), proven: false, after: .days(7)).hasLapsed)
        #expect(judge(domain(.awaitingProof), proven: false, after: .days(8)).hasLapsed)
        #expect(!judge(domain(.awaitingProof), after: .days(8)).hasLapsed)
        var made = domain(.awaitingProof)
        made.zone = "panel"
        #expect(!judge(made, proven: false, after: .days(8)).hasLapsed)
        (made.zone, made.isServed) = (nil, true)
        #expect(!judge(made, proven: false, after: .days(8)).hasLapsed)
    }

    @Test func `one that another service has proven waits and lapses, whatever its own proof says`() {
        func judge(_ domain: DomainRecord, _ after: Duration) -> DomainVerdict {
            DomainVerdict(
                domain, DomainSight(isProven: true, objection: nil), isTaken: true, at: Self.start + after)
        }
        let waits = judge(domain(.awaitingProof), .days(1))
        #expect(!waits.wantsCheck && !waits.hasLapsed && waits.record.state == .awaitingProof)
        #expect(waits.record.reason == "the domain example.net is in use already: another service has proven it first")
        #expect(judge(domain(.awaitingProof), .days(8)).hasLapsed)
    }

    @Test(arguments: [DomainRecord.State.awaitingProof, .proven, .routed, .certified])
    func `one that is proven and leads here wants to be checked, ever more rarely where that does not help`(
        state: DomainRecord.State
    ) {
        var record = domain(state)
        var pauses: [Duration] = []
        for _ in 0..<10 {
            let verdict = judge(record)
            #expect(verdict.wantsCheck && verdict.record.state == state)
            pauses.append(verdict.record.dueAt - Self.start)
            record = verdict.record
        }
        #expect(pauses.prefix(3) == [.seconds(600), .seconds(1200), .seconds(2400)])
        #expect(pauses.last == .days(1))
    }

    @Test func `a proven one that leads elsewhere waits for its customer`() {
        let verdict = judge(domain(.proven), "it leads elsewhere")
        #expect(!verdict.wantsCheck && verdict.record.reason == "it leads elsewhere" && verdict.loss == nil)
        // Its zone may be what is missing.
        #expect(judge(domain(.awaitingProof), "it leads elsewhere").wantsCheck)
    }

    @Test func `an active one is looked at daily`() {
        var record = domain(.active)
        record.misses = 1
        let verdict = judge(record)
        #expect(!verdict.wantsCheck && verdict.record.dueAt == Self.start + .days(1) && verdict.record.misses == 0)
    }

    @Test func `what had been there is believed to be gone the second time`() {
        for (proven, objection, loss, state) in [
            (false, nil, .proof, .awaitingProof), (true, "it leads elsewhere", .route, .proven),
        ] as [(Bool, String?, DomainVerdict.Loss, DomainRecord.State)] {
            let first = judge(domain(.active), proven: proven, objection)
            #expect(first.record.state == .active && first.loss == nil && !first.wantsCheck)
            let second = judge(first.record, proven: proven, objection)
            #expect(second.loss == loss && second.record.state == state && !second.record.reason.isEmpty)
            // One that comes back in between begins anew.
            #expect(judge(judge(first.record).record, proven: proven, objection).loss == nil)
        }
    }

    @Test func `all names and all addresses must lead here`() {
        let ours = ["203.0.113.10", "2001:db8::10"]
        func objection(_ apex: [String], _ www: [String]) -> String? {
            DomainSight.objection(
                to: ["example.net": apex, "www.example.net": www], of: DomainRecord.names("example.net"), ours: ours)
        }
        #expect(objection(["203.0.113.10"], ["203.0.113.10", "2001:db8::10"]) == nil)
        #expect(objection([], ["203.0.113.10"])?.hasPrefix("example.net leads nowhere") == true)
        #expect(objection(["203.0.113.10"], [])?.hasPrefix("www.example.net leads nowhere") == true)
        #expect(objection(["203.0.113.10", "192.0.2.1"], ["203.0.113.10"])?.contains("192.0.2.1") == true)
    }
}

@Suite struct BackupSlotTests {
    private static let day = Duration.days(1)
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)

    @Test func `a service has one turn in each period, in the hours in which few look`() {
        for number in 0..<200 {
            let service = "svc_\(number)"
            let last = BackupSlots.last(of: service, every: Self.day, before: Self.now)
            #expect(last <= Self.now && Self.now - last < Self.day)
            #expect(last.milliseconds % 86_400_000 < 6 * 3_600_000)
            #expect(BackupSlots.last(of: service, every: Self.day, before: last) == last)
            #expect(BackupSlots.last(of: service, every: Self.day, before: last - .milliseconds(1)) == last - Self.day)
        }
    }

    @Test func `turns are spread over the window, and those of a week over its days`() {
        let daily = (0..<500).map { BackupSlots.last(of: "svc_\($0)", every: Self.day, before: Self.now) }
        let quarters = Set(daily.map { $0.milliseconds % 86_400_000 / 900_000 })
        #expect(quarters.count == 24)
        let weekly = (0..<500).map { BackupSlots.last(of: "svc_\($0)", every: .days(7), before: Self.now) }
        #expect(Set(weekly.map { $0.milliseconds / 86_400_000 % 7 }).count == 7)
        #expect(weekly.allSatisfy { $0.milliseconds % 86_400_000 < 6 * 3_600_000 })
    }
}
