import AgentCore
import Testing

@Suite struct `The lanes of commands` {
    private func ticket(_ id: String, on lane: String, _ driver: String = "d") -> Lanes.Ticket {
        Lanes.Ticket(id: id, lane: lane, driver: driver)
    }

    private func lanes(_ limits: [String: Int], looks: Int = 1, capacity: Int = 1024) -> Lanes {
        Lanes(limits: limits.mapValues { Lanes.Limit(changes: $0, looks: looks) }, capacity: capacity)
    }

    private func expect(_ started: [String], _ wanted: [String], at location: SourceLocation = #_sourceLocation) {
        #expect(started == wanted, sourceLocation: location)
    }

    @Test func `commands on one resource run in order, one at a time`() {
        var lanes = lanes(["d": 4])
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
        var lanes = lanes(["d": 2, "e": 1])
        let started = ["a", "b", "c"].map { lanes.enter(ticket($0, on: $0)) }
        #expect(started == [true, true, false])
        let other = lanes.enter(ticket("x", on: "x", "e"))
        #expect(other, "another driver has a limit of its own")
        expect(lanes.leave("b"), ["c"])
    }

    @Test func `a driver that is not listed runs one at a time`() {
        var lanes = lanes([:])
        let started = [lanes.enter(ticket("1", on: "a")), lanes.enter(ticket("2", on: "b"))]
        #expect(started == [true, false])
    }

    @Test func `a waiting command can leave, and its lane's order holds`() {
        var lanes = lanes(["d": 4])
        for id in ["1", "2", "3"] { _ = lanes.enter(ticket(id, on: "a")) }
        expect(lanes.leave("2"), [])
        expect(lanes.leave("1"), ["3"])
    }

    @Test func `the first of a lane that must wait for its driver holds back the next of the lane`() {
        var lanes = lanes(["d": 1, "e": 1])
        _ = lanes.enter(ticket("busy", on: "z"))
        let started = [lanes.enter(ticket("1", on: "a")), lanes.enter(ticket("2", on: "a", "e"))]
        #expect(started == [false, false])
        expect(lanes.leave("busy"), ["1"])
        expect(lanes.leave("1"), ["2"])
    }

    @Test func `the queue is bounded`() {
        var lanes = lanes(["d": 1], capacity: 2)
        for id in ["1", "2", "3"] { _ = lanes.enter(ticket(id, on: id)) }
        #expect(lanes.isFull(for: .change))
        _ = lanes.leave("1")
        #expect(!lanes.isFull(for: .change))
    }

    @Test func `leaving twice and leaving without having entered change nothing`() {
        var lanes = lanes(["d": 1])
        _ = lanes.enter(ticket("1", on: "a"))
        _ = lanes.enter(ticket("2", on: "a"))
        expect(lanes.leave("stranger"), [])
        expect(lanes.leave("1"), ["2"])
        expect(lanes.leave("1"), [])
    }

    @Test func `what lasts runs beside its lane and takes nobody's place`() {
        var lanes = lanes(["d": 1])
        let shell = Lanes.Ticket(id: "shell", lane: "a", driver: "d", standing: .lasting)
        let other = Lanes.Ticket(id: "other", lane: "a", driver: "d", standing: .lasting)
        let started = [lanes.enter(shell), lanes.enter(ticket("1", on: "a")), lanes.enter(other)]
        #expect(started == [true, true, true])
        expect(lanes.leave("shell"), [])
        let waits = lanes.enter(ticket("2", on: "a"))
        #expect(!waits, "lanes are what they were for all others")
        expect(lanes.leave("1"), ["2"])
        _ = [lanes.leave("2"), lanes.leave("other")]
        #expect(lanes.isEmpty)
    }

    @Test func `a look waits for no change, and a long look for no other's sake holds a change up`() {
        var lanes = lanes(["d": 1], looks: 2)
        _ = lanes.enter(ticket("clone", on: "a"))
        let waits = lanes.enter(ticket("set", on: "a"))
        let looks = ["1", "2", "3"].map {
            lanes.enter(Lanes.Ticket(id: $0, lane: "a", driver: "d", standing: .look))
        }
        #expect(!waits && looks == [true, true, false], "looks have places of their own")
        expect(lanes.leave("clone"), ["set"])
        expect(lanes.leave("1"), ["3"])
    }

    @Test func `many looks leave room for changes to wait, and the other way round`() {
        var lanes = lanes(["d": 1], capacity: 1)
        for id in ["1", "2"] { _ = lanes.enter(Lanes.Ticket(id: id, lane: "a", driver: "d", standing: .look)) }
        #expect(lanes.isFull(for: .look) && !lanes.isFull(for: .change) && !lanes.isFull(for: .stream))
        for id in ["3", "4"] { _ = lanes.enter(ticket(id, on: id)) }
        #expect(lanes.isFull(for: .change))
    }

    @Test func `what its asker sends keeps its lane and takes nobody's place`() {
        var lanes = lanes(["d": 1])
        let push = Lanes.Ticket(id: "push", lane: "a", driver: "d", standing: .stream)
        let started = [lanes.enter(push), lanes.enter(ticket("1", on: "b")), lanes.enter(ticket("2", on: "a"))]
        #expect(started == [true, true, false])
        expect(lanes.leave("1"), [])
        expect(lanes.leave("push"), ["2"])
    }

    @Test func `what does not obey keeps its lane and gives its place away, up to a limit`() {
        var lanes = lanes(["d": 1])
        for id in ["1", "2", "3"] { _ = lanes.enter(ticket(id, on: "lane \(id)")) }
        _ = lanes.enter(ticket("behind", on: "lane 1"))
        expect(lanes.abandon("1"), ["2"])
        expect(lanes.abandon("2"), [])
        expect(lanes.leave("1"), [])
        expect(lanes.leave("2"), ["3"])
        expect(lanes.leave("3"), ["behind"])
        expect(lanes.abandon("stranger"), [])
    }
}
