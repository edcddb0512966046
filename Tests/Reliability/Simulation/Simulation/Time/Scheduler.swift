import Takeover

/// Runs everything: one thread, virtual time, and the order of ready work drawn from the seed.
///
/// `@unchecked Sendable`: there is one thread.
package final class Scheduler: @unchecked Sendable {
    package static let shared = Scheduler()

    package private(set) var now: Moment = 0
    package var trace = Trace()
    /// Steps so far.
    package private(set) var steps = 0
    let world = Owner("world")
    /// Whose work is being done: what it starts is its own.
    private(set) var current: Owner
    private(set) var currentLoop: SimulatedLoop?
    /// Asked after every step: a process may have died in the middle of it.
    var afterStep: () -> Void = {}

    private var chance = Chance(seed: 0, for: "order")
    private var ready: [Lane] = []
    private var timers = Timers()
    private let worldLane: Lane
    /// What the dead leave undone. It must not be freed: continuations complain when they are.
    private var graveyard: [Lane.Item] = []

    private init() {
        current = world
        worldLane = Lane(of: world)
    }

    package func begin(seed: UInt64) {
        chance = Chance(seed: seed, for: "order")
        takeover_begin(seed)
    }

    // MARK: giving work

    func push(_ item: Lane.Item, to lane: Lane) {
        guard !lane.owner.isDead else { return graveyard.append(item) }
        lane.put(item)
        if !lane.isReady {
            lane.isReady = true
            ready.append(lane)
        }
    }

    func push(_ item: Lane.Item, to lane: Lane, at time: Moment) {
        guard !lane.owner.isDead else { return graveyard.append(item) }
        timers.add(Timers.Entry(time: time, lane: lane, item: item))
    }

    /// Does something in the world, outside of every process.
    func after(_ wait: Moment, _ body: @escaping () -> Void) {
        push(.closure(body), to: worldLane, at: now + max(0, wait))
    }

    /// Does something as the process would, now.
    func within<Value>(_ owner: Owner, _ body: () -> Value) -> Value {
        let before = current
        current = owner
        defer { current = before }
        return body()
    }

    // MARK: doing it

    /// Runs until the condition holds, the time is there, or nothing is left.
    package func run(until end: Moment, or condition: () -> Bool = { false }) {
        while now < end, !condition() {
            moveDue()
            if ready.isEmpty {
                guard let next = timers.first, next < end else { break }
                advance(to: next)
                continue
            }
            step()
        }
        if ready.isEmpty, now < end, !condition() { advance(to: end) }
    }

    private func step() {
        let place = chance.below(ready.count)
        let lane = ready[place]
        let item = lane.take(&chance)
        if lane.count == 0 {
            lane.isReady = false
            ready.swapAt(place, ready.count - 1)
            ready.removeLast()
        }
        guard !lane.owner.isDead else { return graveyard.append(item) }
        steps += 1
        trace.mix(UInt64(place) << 32 ^ UInt64(truncatingIfNeeded: now))
        (current, currentLoop) = (lane.owner, lane.loop)
        switch item {
        case .closure(let body): body()
        case .job(let job, let executor?): job.runSynchronously(on: executor.asUnownedSerialExecutor())
        case .job(let job, nil): job.runSynchronously(on: SharedPool.executor)
        }
        (current, currentLoop) = (world, nil)
        afterStep()
        advance(to: now + Moment(chance.below(20_000)))
    }

    private func advance(to time: Moment) {
        now = max(now, time)
        takeover_set_clock(now)
    }

    private func moveDue() {
        while let next = timers.first, next <= now, let entry = timers.take() { push(entry.item, to: entry.lane) }
    }

    /// Work that waits, for the bounds on memory.
    package var backlog: Int { ready.reduce(timers.count) { $0 + $1.count } }
}
