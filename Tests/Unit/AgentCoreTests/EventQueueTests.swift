import AgentCore
import DriverKit
import Model
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The queue of events` {
    private func event(_ time: Int64) -> DriverEvent { DriverEvent(time: Timestamp(milliseconds: time), kind: "k") }

    private func entries(of queue: EventQueue) async -> [EventQueue.Entry] {
        queue.finish()
        var entries: [EventQueue.Entry] = []
        await queue.drain { entries += $0 }
        return entries
    }

    @Test func `it hands over in order`() async {
        let queue = EventQueue()
        for time in 1...3 { queue.put(event(Int64(time))) }
        #expect(await entries(of: queue) == [.event(event(1)), .event(event(2)), .event(event(3))])
    }

    @Test func `what does not fit is counted in its place, with the times it had`() async {
        let queue = EventQueue(limit: 2)
        for time: Int64 in [1, 2, 9, 3, 5] { queue.put(event(time)) }
        let times = Timestamp(milliseconds: 3)...Timestamp(milliseconds: 9)
        #expect(await entries(of: queue) == [.event(event(1)), .event(event(2)), .lost(count: 3, times: times)])
    }

    @Test func `a task that is cancelled takes what is there, and no more`() async {
        let queue = EventQueue(limit: 2)
        let taken = Mutex<[EventQueue.Entry]>([])
        for time: Int64 in 1...5 { queue.put(event(time)) }
        let draining = Task { await queue.drain { entries in taken.withLock { $0 += entries } } }
        draining.cancel()
        await draining.value
        let times = Timestamp(milliseconds: 3)...Timestamp(milliseconds: 5)
        #expect(taken.withLock { $0 } == [.event(event(1)), .event(event(2)), .lost(count: 3, times: times)])
    }
}
