import APIModels
import HTTPTypes
import Hummingbird
import Model
import Testing

@testable import API
@testable import HTTP

@Suite struct PaceTests {
    private static let rate = Rate(perSecond: 2, burst: 3)

    @Test func `a burst is let through, then as many as the rate gives`() {
        let pace = Pace(Self.rate)
        let start = HouseClock.start
        #expect((0..<3).allSatisfy { _ in pace.take("a", at: start) == nil })
        #expect(pace.take("a", at: start) == .milliseconds(500))
        #expect(pace.take("b", at: start) == nil)
        #expect(pace.take("a", at: start + .milliseconds(500)) == nil)
        #expect(pace.take("a", at: start + .milliseconds(600)) == .milliseconds(400))
        // After a long while there is no more than a burst, and a clock that goes back gives nothing.
        let later = start + .seconds(3600)
        #expect((0..<3).allSatisfy { _ in pace.take("a", at: later) == nil })
        #expect(pace.take("a", at: later - .seconds(60)) != nil)
    }

    @Test func `names without end share what is left, and those who rest are forgotten`() {
        let pace = Pace(Self.rate, capacity: 4)
        let start = HouseClock.start
        for name in 0..<4 { #expect(pace.take("\(name)", at: start) == nil) }
        #expect((0..<3).allSatisfy { pace.take("new\($0)", at: start) == nil })
        #expect(pace.take("new3", at: start) != nil)
        #expect(pace.take("new4", at: start + .seconds(60)) == nil)
    }

    @Test func `who tries keys is told to wait, and a key that holds opens all the same`() async throws {
        let house = try await House { $0.http.guessRate = Rate(perSecond: 0.5, burst: 3) }
        for _ in 0..<3 { #expect(try await house.ask(.get, "/api/v1/nodes", key: "x").status == 401) }
        let reply = try await house.ask(.get, "/api/v1/nodes", key: "x")
        #expect(reply.status == 429)
        #expect(reply.response.headers[.retryAfter] == "2")
        #expect(try reply.problem.retryAfterSeconds == 2)
        #expect(try await house.ask(.get, "/api/v1/nodes").status == 200)
        house.clock.advance(.seconds(2))
        #expect(try await house.ask(.get, "/api/v1/nodes", key: "x").status == 401)
    }

    @Test func `a key that hammers waits, others do not`() async throws {
        let house = try await House { $0.http.keyRate = Rate(perSecond: 1, burst: 5) }
        let key = try await house.key("read")
        for _ in 0..<5 { #expect(try await house.ask(.get, "/api/v1/nodes", key: key).status == 200) }
        #expect(try await house.ask(.get, "/api/v1/nodes", key: key).status == 429)
        #expect(try await house.ask(.get, "/api/v1/nodes").status == 200)
    }

    @Test func `health is always answered`() async throws {
        let house = try await House { $0.http.openRate = Rate(perSecond: 1, burst: 2) }
        for _ in 0..<2 { #expect(try await house.ask(.get, "/readyz", key: "").status == 200) }
        #expect(try await house.ask(.get, "/readyz", key: "").status == 429)
        #expect(try await house.ask(.get, "/healthz", key: "").status == 200)
    }
}
