package import DriverKit
package import WireProtocol

/// What the controller was told of one driver's inventory, and what it must be told next.
package struct InventoryTracker: Sendable {
    private let driver: String
    /// Nil until the session was told everything.
    private var told: [String: JSONObject]?
    private var generation: Int64 = 0
    /// Encoded bytes of items that go into one message.
    private static let messageBytes = 256 << 10
    private static let messageItems = 1000

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

    /// One full message and deltas on top of it where everything does not fit one line.
    private mutating func messages(_ items: [InventoryItem], full: Bool, removed: [String]) -> [Inventory] {
        var messages: [Inventory] = []
        var rest = items[...]
        var gone = removed[...]
        repeat {
            var bytes = 0
            let piece = rest.prefix(Self.messageItems).prefix { item in
                bytes += item.state.encoded.count + item.resource.utf8.count
                return bytes <= Self.messageBytes
            }
            // One that is too large for a line alone goes without its state: it exists, at least.
            let taken =
                piece.isEmpty ? rest.prefix(1).map { InventoryItem(resource: $0.resource, state: [:]) } : Array(piece)
            rest = rest.dropFirst(taken.count)
            generation += 1
            messages.append(
                Inventory(
                    driver: driver, generation: generation, full: full && messages.isEmpty,
                    items: taken.map { Inventory.Item(resource: $0.resource, state: $0.state) },
                    removed: Array(gone.prefix(Self.messageItems))))
            gone = gone.dropFirst(Self.messageItems)
        } while !rest.isEmpty || !gone.isEmpty
        return messages
    }
}
