/// Work for later, the earliest first; what is due at one time goes in the order in which it came.
struct Timers {
    struct Entry {
        let time: Moment
        let lane: Lane
        let item: Lane.Item
        fileprivate var number = 0

        init(time: Moment, lane: Lane, item: Lane.Item) {
            self.time = time
            self.lane = lane
            self.item = item
        }

        fileprivate func precedes(_ other: Entry) -> Bool { (time, number) < (other.time, other.number) }
    }

    private var heap: [Entry] = []
    private var next = 0

    var first: Moment? { heap.first?.time }
    var count: Int { heap.count }

    mutating func add(_ entry: Entry) {
        var entry = entry
        entry.number = next
        next += 1
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func take() -> Entry? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let entry = heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].precedes(heap[least]) { least = child }
            }
            if least == parent { return entry }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
