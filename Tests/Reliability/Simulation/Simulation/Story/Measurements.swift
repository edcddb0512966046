import WireProtocol

/// The samples, events and usage of one node: the store has them, or says which are missing.
struct Measurements {
    let trial: Trial
    let books: Books
    let node: NodeMachine

    /// How long a sample may take to the disk.
    private static let writing: Moment = .seconds(6)
    private static let start: Int64 = 1_767_603_600_000

    func check() {
        checkSamples()
        checkEvents()
        checkUsage()
    }

    private func violated(_ text: String) { trial.truth.violated("\(node.name): \(text)") }

    private func checkSamples() {
        let stored = books.samples.filter { $0.node == node.name }
        let taken = node.gauge.samples
        var seen: Set<Int> = []
        for sample in stored {
            if !seen.insert(sample.number).inserted { violated("sample \(sample.number) is stored twice") }
            guard sample.number >= 1, sample.number <= taken.count else {
                violated("sample \(sample.number) was never taken")
                continue
            }
            let late = Self.start + taken[sample.number - 1].time / 1_000_000 - sample.time
            if !(-1...2_500).contains(late) { violated("sample \(sample.number) is stored with a time \(late) ms off") }
        }
        let gaps = books.gaps.filter { $0.node == node.name && $0.kind == "metrics" }.map(\.times)
        for sample in taken where !seen.contains(sample.number) && isOwed(sample) {
            let time = Self.start + sample.time / 1_000_000
            if !gaps.contains(where: { ($0.lowerBound - 2_500...$0.upperBound + 2_500).contains(time) }) {
                violated("sample \(sample.number) of \(sample.time.text) is neither stored nor missed")
            }
        }
    }

    /// Whether the process that took it lived to write it, or to write with a later sample that it is missing.
    private func isOwed(_ sample: Gauge.Sample) -> Bool {
        let death = min(node.death(of: sample.owner), trial.scheduler.now)
        return node.gauge.samples.contains { later in
            guard later.owner === sample.owner, later.time >= sample.time else { return false }
            let written = later.time + Self.writing
            return written < death && !node.troubles.contains { $0.overlaps(later.time...written) }
        }
    }

    /// An event may be lost with its process, but never be doubled or come out of order.
    private func checkEvents() {
        let numbers = books.events[node.name] ?? []
        for (one, next) in zip(numbers, numbers.dropFirst()) where one >= next {
            violated("event \(next) is stored behind event \(one)")
        }
    }

    private func checkUsage() {
        let usage = books.usage[node.name] ?? 0
        if usage > node.gauge.reading { violated("usage \(usage) is more than was read") }
        // The last readings are on their way.
        if node.gauge.reading - usage > 130_000 { violated("usage \(usage) is stored, \(node.gauge.reading) was read") }
    }
}
