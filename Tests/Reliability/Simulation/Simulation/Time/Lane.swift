/// A process in the simulated world, from its start to its death. What belongs to a dead one never runs again.
package final class Owner: @unchecked Sendable {
    // Unchecked: the whole simulation runs on one thread.
    package let name: String
    package fileprivate(set) var isDead = false
    /// Its part of Swift's shared pool: ready jobs run in any order.
    let pool: Lane

    package init(_ name: String) {
        self.name = name
        pool = Lane(inOrder: false)
        pool.owner = self
    }

    func die() { isDead = true }
}

/// A queue of work of one owner: of an event loop, of a thread, or of the shared pool.
final class Lane {
    enum Item {
        case job(UnownedJob, on: (any SerialExecutor)?)
        case closure(() -> Void)
    }

    unowned(unsafe) var owner: Owner!
    let inOrder: Bool
    var loop: SimulatedLoop?
    var isReady = false
    private var items: [Item] = []
    private var head = 0

    init(inOrder: Bool) { self.inOrder = inOrder }

    init(of owner: Owner) {
        inOrder = true
        self.owner = owner
    }

    var count: Int { items.count - head }

    func put(_ item: Item) { items.append(item) }

    func take(_ chance: inout Chance) -> Item {
        if !inOrder, count > 1 { items.swapAt(head, head + chance.below(count)) }
        let item = items[head]
        // A continuation must not be freed unresumed when its process dies: the dead keep their work.
        items[head] = .closure {}
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        }
        return item
    }
}
