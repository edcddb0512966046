import AgentCore
import Testing

@Suite struct `The lanes of commands` {
    private func ticket(_ id: String, on lane: String, _ driver: String = "d") -> Lanes.Ticket {
        Lanes.Ticket(id: id, lane: lane, driver: driver)
    }

    private func expect(_ started: [String], _ wanted: [String], at location: SourceLocation = #_sourceLocation) {
        #expect(started == wanted, sourceLocation: location)
    }

    @Test func `commands on one resource run in order, one at a time`() {
        var lanes = Lanes(limits: ["d": 4])
        let started = [
            lanes.enter(ticket("1", on: "a")), lanes.enter(ticket("2", on: "a")), lanes.enter(ticket("3", on: "a")),
        ]
        #expect(started == [true, false, false])
        expect(lanes.leave("1"), ["2"])
        expect(lanes.leave("2"), ["3"])
        expect(lanes.leave("3"), [])
        #expect(lanes.isEmpty)
    }

    @Test func `different resources run in parallel up to the driver's limit`() {
        var lanes = Lanes(limits: ["d": 2, "e": 1])
        let started = ["a", "b", "c"].map { lanes.enter(ticket($0, on: $0)) }
        #expect(started == [true, true, false])
        let other = lanes.enter(ticket("x", on: "x", "e"))
        #expect(other, "another driver has a limit of its own")
        expect(lanes.leave("b"), ["c"])
    }

    @Test func `a driver that is not listed runs one at a time`() {
        var lanes = Lanes(limits: [:])
        let started = [lanes.enter(ticket("1", on: "a")), lanes.enter(ticket("2", on: "b"))]
        #expect(started == [true, false])
    }

    @Test func `a waiting command can leave, and its lane's order holds`() {
        var lanes = Lanes(limits: ["d": 4])
        for id in ["1", "2", "3"] { _ = lanes.enter(ticket(id, on: "a")) }
        expect(lanes.leave("2"), [])
        expect(lanes.leave("1"), ["3"])
    }

    @Test func `the first of a lane that must wait for its driver holds back the next of the lane`() {
        var lanes = Lanes(limits: ["d": 1, "e": 1])
        _ = lanes.enter(ticket("busy", on: "z"))
        let started = [lanes.enter(ticket("1", on: "a")), lanes.enter(ticket("2", on: "a", "e"))]
        #expect(started == [false, false])
        expect(lanes.leave("busy"), ["1"])
        expect(lanes.leave("1"), ["2"])
    }

    @Test func `the queue is bounded`() {
        var lanes = Lanes(limits: ["d": 1], capacity: 2)
        for id in ["1", "2", "3"] { _ = lanes.enter(ticket(id, on: id)) }
        #expect(lanes.isFull)
        _ = lanes.leave("1")
        #expect(!lanes.isFull)
    }

    @Test func `leaving twice and leaving without having entered change nothing`() {
        var lanes = Lanes(limits: ["d": 1])
        _ = lanes.enter(ticket("1", on: "a"))
        _ = lanes.enter(ticket("2", on: "a"))
        expect(lanes.leave("stranger"), [])
        expect(lanes.leave("1"), ["2"])
        expect(lanes.leave("1"), [])
    }

    @Test func `what lasts runs beside its lane and takes nobody's place`() {
        var lanes = Lanes(limits: ["d": 1])
        let shell = Lanes.Ticket(id: "shell", lane: "a", driver: "d", isLasting: true)
        let other = Lanes.Ticket(id: "other", lane: "a", driver: "d", isLasting: true)
        let started = [lanes.enter(shell), lanes.enter(ticket("1", on: "a")), lanes.enter(other)]
        #expect(started == [true, true, true])
        expect(lanes.leave("shell"), [])
        let waits = lanes.enter(ticket("2", on: "a"))
        #expect(!waits, "lanes are what they were for all others")
        expect(lanes.leave("1"), ["2"])
        _ = [lanes.leave("2"), lanes.leave("other")]
        #expect(lanes.isEmpty)
    }
}
