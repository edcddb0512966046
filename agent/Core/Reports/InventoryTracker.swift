package import DriverKit
package import WireProtocol

/// What the controller was told of one driver's inventory, and what it must be told next.
package struct InventoryTracker: Sendable {
    private let driver: String
    /// Nil until the session was told everything.
    private var told: [String: JSONObject]?
    private var generation: Int64 = 0
    /// Names of what is gone that one line takes.
    private static let removedLimit = 1000

    package init(driver: String) { self.driver = driver }

    /// A new session knows nothing.
    package mutating func restart() { told = nil }

    /// The messages that bring the controller from what it was told to what is now; none when nothing changed.
    package mutating func update(_ items: [InventoryItem]) -> [Inventory] {
        let now = Dictionary(items.map { ($0.resource, $0.state) }) { $1 }
        let before = told
        told = now
        guard let before else { return messages(items, full: true, removed: []) }
        let changed = items.filter { before[$0.resource] != $0.state }
        let removed = before.keys.filter { now[$0] == nil }.sorted()
        guard !changed.isEmpty || !removed.isEmpty else { return [] }
        return messages(changed, full: false, removed: removed)
    }

    /// One message, and deltas on top of it where everything does not fit one line.
    private mutating func messages(_ items: [InventoryItem], full: Bool, removed: [String]) -> [Inventory] {
        let first = Inventory(
            driver: driver, generation: generation + 1, full: full,
            items: items.map { Inventory.Item(resource: $0.resource, state: $0.state) },
            removed: Array(removed.prefix(Self.removedLimit)))
        var messages = first.pieces()
        for start in stride(from: Self.removedLimit, to: removed.count, by: Self.removedLimit) {
            let next = generation + Int64(messages.count) + 1
            let part = Array(removed[start..<min(start + Self.removedLimit, removed.count)])
            messages.append(Inventory(driver: driver, generation: next, full: false, items: [], removed: part))
        }
        generation += Int64(messages.count)
        return messages
    }
}
