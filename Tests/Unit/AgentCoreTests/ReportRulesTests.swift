import AgentCore
import DriverKit
import Testing
import WireProtocol

@Suite struct `Which reports go out` {
    @Test func `without a session everything stays on disk`() {
        var cursor = ReplayCursor(liveFirst: true)
        let sent = cursor.appended(1)
        #expect(!sent)
        #expect(cursor.wanted() == nil)
    }

    @Test func `live metrics overtake the backlog`() {
        var cursor = ReplayCursor(liveFirst: true)
        cursor.open(first: 1, following: 101)
        let live = cursor.appended(101)
        #expect(live)
        #expect(cursor.wanted()?.range == 1..<101)
        cursor.replayed(Array(1...64), wholeTo: nil)
        #expect(cursor.wanted()?.range == 65..<101)
        cursor.replayed(Array(65...100), wholeTo: 101)
        #expect(cursor.isCaughtUp)
        let next = cursor.appended(102)
        #expect(next)
    }

    @Test func `usage and events keep their order behind the backlog`() {
        var cursor = ReplayCursor(liveFirst: false)
        cursor.open(first: 1, following: 3)
        let early = cursor.appended(3)
        #expect(!early)
        #expect(cursor.wanted()?.range == 1..<4)
        cursor.replayed([1, 2, 3], wholeTo: 4)
        let next = cursor.appended(4)
        #expect(next)
    }

    @Test func `what comes while the end of the backlog is read is not passed over`() {
        var cursor = ReplayCursor(liveFirst: false)
        cursor.open(first: 1, following: 3)
        #expect(cursor.wanted()?.range == 1..<3)
        let early = cursor.appended(3)
        #expect(!early)
        cursor.replayed([1, 2], wholeTo: 3)
        #expect(cursor.wanted()?.range == 3..<4)
    }

    @Test func `a controller that does not store is not sent more than the limit`() {
        var cursor = ReplayCursor(liveFirst: true)
        cursor.open(first: nil, following: 1)
        let sent = (1...1000).filter { cursor.appended(Int64($0)) }
        #expect(sent == Array(1...ReplayCursor.limit))
        #expect(cursor.wanted() == nil)
        cursor.acknowledge(Int64(ReplayCursor.limit))
        #expect(cursor.wanted()?.range == 513..<1001, "what stayed on disk follows, from where live ended")
    }

    @Test func `what is stored is not sent again`() {
        var cursor = ReplayCursor(liveFirst: false)
        cursor.open(first: 1, following: 50)
        cursor.acknowledge(20)
        #expect(cursor.wanted()?.range == 21..<50)
    }

    @Test func `the oldest metrics give way first, then events, usage never`() {
        var budget = SpoolBudget(limit: 1000, bytes: [.metrics: 500, .usage: 400, .events: 200])
        #expect(budget.excess()?.kind == .metrics)
        budget.removed(500, of: .metrics)
        #expect(budget.excess() == nil)
        budget.added(700, of: .usage)
        #expect(budget.excess()?.kind == .events)
        budget.removed(200, of: .events)
        #expect(budget.excess() == nil, "nothing is left that may go")
    }

    @Test func `a counter is told when it says something new`() {
        var filter = UsageFilter()
        let first = UsageCounter(subject: "a", meter: "cpu_ms", epoch: "1", value: 5)
        #expect(filter.news([first]) == [first])
        #expect(filter.news([first]) == [first], "not kept yet: told again")
        filter.kept([first])
        #expect(filter.news([first]).isEmpty)
        let restarted = UsageCounter(subject: "a", meter: "cpu_ms", epoch: "2", value: 5)
        #expect(filter.news([first, restarted]) == [restarted])
    }

    @Test func `inventory is told in full once a session, then as what changed`() {
        var tracker = InventoryTracker(driver: "d")
        let a = InventoryItem(resource: "a", state: ["x": 1]), b = InventoryItem(resource: "b", state: ["x": 1])
        let full = tracker.update([a, b])
        #expect(full.map(\.full) == [true])
        let same = tracker.update([a, b])
        #expect(same.isEmpty)
        let changed = InventoryItem(resource: "a", state: ["x": 2])
        let delta = tracker.update([changed])
        #expect(delta.map(\.full) == [false])
        #expect(delta.first?.items.map(\.resource) == ["a"])
        #expect(delta.first?.removed == ["b"])
        #expect(delta.first?.generation == (full.first?.generation ?? 0) + 1)
        tracker.restart()
        let anew = tracker.update([changed])
        #expect(anew.map(\.full) == [true])
    }

    @Test func `an inventory larger than a line goes in pieces that build on each other`() {
        var tracker = InventoryTracker(driver: "d")
        let text = JSONValue.string(String(repeating: "x", count: 1000))
        let items = (0..<2500).map { InventoryItem(resource: "r\($0)", state: ["text": text]) }
        let messages = tracker.update(items)
        #expect(messages.count > 1)
        #expect(messages.map(\.full) == [true] + Array(repeating: false, count: messages.count - 1))
        #expect(messages.map(\.generation) == Array(1...Int64(messages.count)))
        #expect(messages.flatMap(\.items).map(\.resource) == items.map(\.resource))
        #expect(messages.allSatisfy { AgentMessage.inventory($0).line().count < ProtocolVersion.maximumLineBytes })
    }

    @Test func `an item too large for a line and more goings than a line takes are still told`() {
        var tracker = InventoryTracker(driver: "d")
        let small = (0..<2500).map { InventoryItem(resource: "r\($0)", state: [:]) }
        _ = tracker.update(small)
        let huge = InventoryItem(resource: "huge", state: ["text": .string(String(repeating: "x", count: 2 << 20))])
        let messages = tracker.update([huge])
        #expect(messages.flatMap(\.items).map(\.resource) == ["huge"])
        #expect(Set(messages.flatMap(\.removed)) == Set(small.map(\.resource)))
        let first = messages[0].generation
        #expect(messages.map(\.generation) == Array(first..<first + Int64(messages.count)))
        for message in messages {
            let line = AgentMessage.inventory(message).line()
            #expect((try? AgentMessage(decoding: line.dropLast())) == .inventory(message))
        }
    }

    @Test func `a driver that is late keeps its series without values`() {
        var round = SampleRound(drivers: 2)
        round.begin()
        for driver in 0...1 {
            var batch = round.batch(of: driver)
            batch.append("s\(driver)", Double(driver))
            round.fill(driver, batch)
        }
        let first = round.close()
        #expect(first.series.names == ["s0", "s1"])
        #expect(first.values == [0, 1])
        round.begin()
        var batch = round.batch(of: 1)
        batch.append("s1", 7)
        round.fill(1, batch)
        #expect(!round.isComplete)
        let second = round.close()
        #expect(second.series == first.series)
        #expect(second.values == [nil, 7])
    }
}
