import Model
import Sessions
import Testing

@Suite struct LivenessTests {
    private let start = Timestamp(milliseconds: 1_000_000)

    @Test func `fifteen seconds of silence make a node unreachable, once`() {
        var liveness = Liveness(expected: [], now: start)
        let taken1 = liveness.heard("a", at: start)
        #expect(taken1)
        let silent2 = liveness.expired(at: start + .milliseconds(14_999))
        #expect(silent2.isEmpty)
        let silent3 = liveness.expired(at: start + .seconds(15))
        #expect(silent3 == ["a"])
        let silent4 = liveness.expired(at: start + .seconds(60))
        #expect(silent4.isEmpty)
    }

    @Test func `a sign of life moves the deadline and is news only after an absence`() {
        var liveness = Liveness(expected: [], now: start)
        _ = liveness.heard("a", at: start)
        let taken5 = liveness.heard("a", at: start + .seconds(10))
        #expect(!taken5)
        let silent6 = liveness.expired(at: start + .seconds(20))
        #expect(silent6.isEmpty)
        let silent7 = liveness.expired(at: start + .seconds(25))
        #expect(silent7 == ["a"])
        let taken8 = liveness.heard("a", at: start + .seconds(26))
        #expect(taken8)
    }

    @Test func `after a restart of the controller nodes get time to come back`() {
        var liveness = Liveness(expected: ["a", "b"], now: start)
        let silent9 = liveness.expired(at: start + .seconds(60))
        #expect(silent9.isEmpty)
        _ = liveness.heard("a", at: start + .seconds(70))
        let silent10 = liveness.expired(at: start + .seconds(75))
        #expect(silent10 == ["b"])
    }

    @Test func `a node that said goodbye is forgotten at once`() {
        var liveness = Liveness(expected: ["a"], now: start)
        let taken11 = liveness.forget("a")
        #expect(taken11)
        let taken12 = liveness.forget("a")
        #expect(!taken12)
        let silent13 = liveness.expired(at: start + .seconds(100))
        #expect(silent13.isEmpty)
    }
}
