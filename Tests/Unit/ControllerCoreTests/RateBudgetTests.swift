import Model
import Saga
import Synchronization
import Testing

@testable import ControllerCore

@Suite struct RateBudgetTests {
    @Test func `no span of the window ever has more calls than the limit, however they come`() {
        var generator = SystemRandomNumberGenerator()
        for limit in [1, 3, 20] {
            var window = RateWindow(limit: limit, window: .seconds(10))
            var (now, turns) = (Duration.zero, [Duration]())
            for _ in 1...500 {
                now += .milliseconds(Int.random(in: 0...1200, using: &generator))
                if let wait = window.book(at: now, patience: .seconds(60)) { turns.append(now + wait) }
            }
            #expect(turns == turns.sorted(), "first come, first served")
            for (index, turn) in turns.enumerated() where index >= limit {
                #expect(turn - turns[index - limit] >= .seconds(10))
            }
            // Nothing is left unused: a call waits only for its turn.
            #expect(turns.count > limit * 20)
        }
    }

    @Test func `who would wait too long is told so, and takes nobody's turn`() {
        var window = RateWindow(limit: 2, window: .seconds(300))
        #expect(window.book(at: .zero, patience: .seconds(1)) == .zero)
        #expect(window.book(at: .seconds(1), patience: .seconds(1)) == .zero)
        for _ in 1...10 { #expect(window.book(at: .seconds(2), patience: .seconds(60)) == nil) }
        #expect(window.book(at: .seconds(299), patience: .seconds(60)) == .seconds(1))
    }

    @Test func `all who share a budget are counted together`() async throws {
        let time = Mutex(Duration.zero)
        let clock = ClockPort(
            now: { Timestamp(milliseconds: 0) }, pause: { wait in time.withLock { $0 += wait } }, timer: { _ in },
            uptime: { time.withLock { $0 } })
        let budget = RateBudget("the host", limit: 5, window: .seconds(300), patience: .seconds(400), clock: clock)
        let calls = Mutex(0)
        let record = DNSRecord(type: .a, host: "a.example.org", value: "192.0.2.1")
        let keeper = ObjectProvider<DNSRecord>(
            find: { (_, _) throws(PortError) in
                calls.withLock { $0 += 1 }
                return MarkedObject(record, mark: "svc")
            }, put: { (_, _) throws(PortError) in calls.withLock { $0 += 1 } },
            remove: { (_, _) throws(PortError) in calls.withLock { $0 += 1 } })
        let (one, other) = (keeper.within(budget), keeper.within(budget))
        for _ in 1...3 { _ = try await one.find("a", "svc") }
        try await other.put(record, "svc")
        try await other.remove("a", "svc")
        #expect(time.withLock { $0 } == .zero)
        _ = try await one.find("a", "svc")
        #expect(time.withLock { $0 } == .seconds(300) && calls.withLock { $0 } == 6)
    }

    @Test func `who is asked for a rest gets it from all who call`() async throws {
        let time = Mutex(Duration.zero)
        let clock = ClockPort(
            now: { Timestamp(milliseconds: 0) }, pause: { wait in time.withLock { $0 += wait } }, timer: { _ in },
            uptime: { time.withLock { $0 } })
        let budget = RateBudget("the host", limit: 5, window: .seconds(300), patience: .seconds(60), clock: clock)
        try await budget.spend()
        budget.rest(.seconds(30))
        // A shorter rest does not end a longer one.
        budget.rest(.seconds(1))
        try await budget.spend()
        #expect(time.withLock { $0 } == .seconds(30))
        budget.rest(.seconds(61))
        let error = await #expect(throws: PortError.self) { try await budget.spend() }
        #expect(error?.kind == .busy && time.withLock { $0 } == .seconds(30))
    }

    @Test func `what is not set up says so, and no step tries again`() async throws {
        let keeper = ObjectProvider<DNSRecord>.none
        let error = await #expect(throws: PortError.self) { _ = try await keeper.find("A a.example.org", "svc") }
        let failure = StepFailure(try #require(error))
        #expect(failure.kind == .final && failure.message == "no keeper of a DNS record is set up")
    }

    @Test func `words of chance have the letters that nobody takes for others`() {
        let word = RandomPort { count in (0..<count).map { UInt8($0 & 255) } }.word(32)
        #expect(Set(word).count == 32 && !word.contains(where: { "01lo".contains($0) }))
        #expect(RandomPort.system.bytes(32) != RandomPort.system.bytes(32))
    }
}
