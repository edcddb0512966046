/// The order of commands: changes of a resource come one at a time and in order of arrival, in parallel over resources up
/// to each driver's limit. Looks wait neither for changes nor for the lane, and hold no change up: they have a limit of
/// their own. What goes as fast as its asker likes is counted with neither.
///
/// Pure: it says who may start, the caller starts them and says who has left. Waiting is a place in this queue and nothing
/// else, so leaving it is always possible.
package struct Lanes: Sendable {
    /// How a command stands to others.
    package enum Standing: Sendable, Hashable, CaseIterable {
        /// In the lane of its resource, in one of the driver's places.
        case change
        /// Beside the lanes, in one of the driver's places for looks.
        case look
        /// In the lane of its resource and in no place: its asker sends or takes its bytes, or it works in a guest for long.
        case stream
        /// Beside the lanes and in no place: a shell, a log that is followed.
        case lasting

        fileprivate var hasLane: Bool { self == .change || self == .stream }
        fileprivate var isCounted: Bool { self == .change || self == .look }
    }

    package struct Ticket: Sendable, Hashable {
        package let id: String
        /// The resource the command works on.
        package let lane: String
        package let driver: String
        package let standing: Standing

        package init(id: String, lane: String, driver: String, standing: Standing = .change) {
            self.id = id
            self.lane = lane
            self.driver = driver
            self.standing = standing
        }
    }

    /// How many commands of a driver may run at once.
    package struct Limit: Sendable, Hashable {
        package let changes: Int
        package let looks: Int

        package init(changes: Int, looks: Int) { (self.changes, self.looks) = (max(1, changes), max(1, looks)) }

        fileprivate func of(_ standing: Standing) -> Int { standing == .look ? looks : changes }
    }

    fileprivate struct Place: Hashable {
        let driver: String
        let standing: Standing
    }

    private var limits: [String: Limit]
    private let capacity: Int
    private var waiting: [Ticket] = []
    private var running: [String: Ticket] = [:]
    /// Running ones that nobody waits for any more.
    private var abandoned: Set<String> = []

    /// - Parameters:
    ///   - limits: of each driver; one of each kind for a driver that is not listed.
    ///   - capacity: how many changes, and how many looks, may wait in all.
    package init(limits: [String: Limit], capacity: Int = 1024) {
        self.limits = limits
        self.capacity = capacity
    }

    /// Whether no more of this standing may wait.
    package func isFull(for standing: Standing) -> Bool {
        waiting.count { ($0.standing == .look) == (standing == .look) } >= capacity
    }

    package var isEmpty: Bool { waiting.isEmpty && running.isEmpty }

    /// A driver that has come later.
    package mutating func add(_ driver: String, _ limit: Limit) { limits[driver] = limit }

    /// Takes a place. Returns whether the command may start at once; otherwise a later `leave` names it.
    package mutating func enter(_ ticket: Ticket) -> Bool {
        waiting.append(ticket)
        return startable().contains(ticket.id)
    }

    /// Gives up a place, running or waiting. Returns the commands that may start now, in order.
    package mutating func leave(_ id: String) -> [String] {
        abandoned.remove(id)
        if running.removeValue(forKey: id) == nil { waiting.removeAll { $0.id == id } }
        return startable()
    }

    /// A running command did not obey and is not waited for any more. It keeps its lane, since nobody knows what it still
    /// does; its place goes to others, as long as no more of them hang than the driver has places. Returns the commands that
    /// may start now, in order.
    package mutating func abandon(_ id: String) -> [String] {
        guard let ticket = running[id], ticket.standing.isCounted else { return [] }
        let others = abandoned.compactMap { running[$0] }.count { $0.place == ticket.place }
        guard others < limit(of: ticket) else { return [] }
        abandoned.insert(id)
        return startable()
    }

    /// Moves everyone who may start from waiting to running.
    private mutating func startable() -> [String] {
        var taken = Set(running.values.filter(\.standing.hasLane).map(\.lane))
        let counted = running.values.filter { $0.standing.isCounted && !abandoned.contains($0.id) }
        var counts = Dictionary(grouping: counted, by: \.place).mapValues(\.count)
        let limits = limits
        var started: [String] = []
        waiting.removeAll { ticket in
            // A lane whose first command must wait holds back the ones behind it, too.
            if ticket.standing.hasLane, !taken.insert(ticket.lane).inserted { return false }
            if ticket.standing.isCounted {
                let limit = limits[ticket.driver]?.of(ticket.standing) ?? 1
                guard counts[ticket.place, default: 0] < limit else { return false }
                counts[ticket.place, default: 0] += 1
            }
            running[ticket.id] = ticket
            started.append(ticket.id)
            return true
        }
        return started
    }

    private func limit(of ticket: Ticket) -> Int { limits[ticket.driver]?.of(ticket.standing) ?? 1 }
}

extension Lanes.Ticket {
    fileprivate var place: Lanes.Place { Lanes.Place(driver: driver, standing: standing) }
}
