/// The order of commands: one at a time and in order of arrival on a resource, in parallel over resources up to each
/// driver's limit. What lasts for as long as somebody likes runs beside them.
///
/// Pure: it says who may start, the caller starts them and says who has left. Waiting is a place in this queue and nothing
/// else, so leaving it is always possible.
package struct Lanes: Sendable {
    package struct Ticket: Sendable, Hashable {
        package let id: String
        /// The resource the command works on.
        package let lane: String
        package let driver: String
        /// It runs beside its lane and is not counted.
        package let isLasting: Bool

        package init(id: String, lane: String, driver: String, isLasting: Bool = false) {
            self.id = id
            self.lane = lane
            self.driver = driver
            self.isLasting = isLasting
        }
    }

    private let limits: [String: Int]
    private let capacity: Int
    private var waiting: [Ticket] = []
    private var running: [String: Ticket] = [:]

    /// - Parameters:
    ///   - limits: how many commands of each driver may run at once; 1 for a driver that is not listed.
    ///   - capacity: how many may wait in all.
    package init(limits: [String: Int], capacity: Int = 1024) {
        self.limits = limits
        self.capacity = capacity
    }

    package var isFull: Bool { waiting.count >= capacity }
    package var isEmpty: Bool { waiting.isEmpty && running.isEmpty }
    package var runningCount: Int { running.count }

    /// Takes a place. Returns whether the command may start at once; otherwise a later `leave` names it.
    package mutating func enter(_ ticket: Ticket) -> Bool {
        if ticket.isLasting {
            running[ticket.id] = ticket
            return true
        }
        waiting.append(ticket)
        return startable().contains(ticket.id)
    }

    /// Gives up a place, running or waiting. Returns the commands that may start now, in order.
    package mutating func leave(_ id: String) -> [String] {
        if running.removeValue(forKey: id) == nil { waiting.removeAll { $0.id == id } }
        return startable()
    }

    /// Moves everyone who may start from waiting to running.
    private mutating func startable() -> [String] {
        let counted = running.values.filter { !$0.isLasting }
        var taken = Set(counted.map(\.lane))
        var counts = Dictionary(grouping: counted, by: \.driver).mapValues(\.count)
        var started: [String] = []
        waiting.removeAll { ticket in
            // A lane whose first command must wait holds back the ones behind it, too.
            guard taken.insert(ticket.lane).inserted else { return false }
            guard counts[ticket.driver, default: 0] < limits[ticket.driver] ?? 1 else { return false }
            counts[ticket.driver, default: 0] += 1
            running[ticket.id] = ticket
            started.append(ticket.id)
            return true
        }
        return started
    }
}
