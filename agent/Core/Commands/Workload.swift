/// The commands in hand, by their ids, and the lanes in which they come one after another.
struct Workload {
    private var works: [String: Work] = [:]
    private var lanes: Lanes

    init(_ lanes: Lanes) { self.lanes = lanes }

    var ids: [String] { Array(works.keys) }
    var all: [String: Work] { works }
    var count: Int { works.count }
    var isEmpty: Bool { works.isEmpty }

    subscript(id: String) -> Work? {
        get { works[id] }
        // In place: a command's output waits in it.
        _modify { yield &works[id] }
    }

    mutating func remove(_ id: String) -> Work? { works.removeValue(forKey: id) }

    /// After this, only ends that must get on disk are waited for, of those given up, too.
    mutating func waitForTheDiskAlone() {
        works = works.filter { !$0.value.isGivenUp || $0.value.mutates }
        for id in works.keys { works[id]?.isGivenUp = false }
    }

    // MARK: lanes

    func isFull(for standing: Lanes.Standing) -> Bool { lanes.isFull(for: standing) }

    mutating func add(_ driver: String, _ limit: Lanes.Limit) { lanes.add(driver, limit) }

    /// Returns whether the command may start at once.
    mutating func enter(_ ticket: Lanes.Ticket) -> Bool { lanes.enter(ticket) }

    /// Ends a command's time in its lane. Returns those that may start now, in order.
    mutating func leave(_ id: String) -> [String] { lanes.leave(id) }

    /// Gives a hanging command's place, but not its lane, to others. Returns those that may start now, in order.
    mutating func abandon(_ id: String) -> [String] { lanes.abandon(id) }
}
