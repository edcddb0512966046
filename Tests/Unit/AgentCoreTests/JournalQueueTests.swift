import Model
import Testing
import WireProtocol

@testable import AgentCore

@Suite struct `What is to get into the journal` {
    private func step(_ number: Int) -> JournalStep { .begin(id: "c\(number)", time: Timestamp(milliseconds: 1)) }

    @Test func `has one writer at a time, who takes it in its order and in bounded batches`() {
        var queue = JournalQueue()
        #expect(queue.isIdle)
        let writers = (0..<600).filter { queue.add(step($0)) }
        #expect(writers == [0], "the first one writes")
        var (taken, largest) = ([JournalStep](), 0)
        while let batch = queue.next() {
            #expect(!queue.isIdle)
            largest = max(largest, batch.count)
            taken += batch
        }
        #expect(taken == (0..<600).map(step) && largest < 600)
        #expect(queue.isIdle)
        let isNeeded = queue.add(step(1))
        #expect(isNeeded, "a new writer is needed")
    }

    @Test func `keeps what the disk did not take until it is tried again, each once`() {
        var queue = JournalQueue()
        var tries: [Bool] = []
        for (id, time) in [("b", 1), ("a", 2), ("b", 3)] as [(String, Int64)] {
            tries.append(queue.owe(id, at: Timestamp(milliseconds: time)))
        }
        #expect(tries == [true, false, false])
        let owed = queue.takeOwed()
        #expect(
            owed == [
                .acknowledge(id: "a", time: Timestamp(milliseconds: 2)),
                .acknowledge(id: "b", time: Timestamp(milliseconds: 3)),
            ])
        let rest = queue.takeOwed()
        #expect(rest.isEmpty)
        let isNeeded = queue.owe("a", at: Timestamp(milliseconds: 4))
        #expect(isNeeded, "somebody must try once more")
    }
}

@Suite struct `Results that nobody has acknowledged` {
    private func result(_ id: String) -> CommandResult {
        CommandResult(id: id, status: .succeeded, changed: false, finished: 1)
    }

    @Test func `are kept of looks, the newest, until they are acknowledged`() {
        var untold = UntoldResults()
        for number in 0..<300 { untold.keep(result("c\(number)")) }
        #expect(untold.looks.count == 256 && untold.look("c0") == nil && untold.look("c299") != nil)
        let receipts = untold.acknowledged(["c299"])
        #expect(receipts.isEmpty, "a look has no receipt")
        #expect(untold.look("c299") == nil)
    }

    @Test func `count as told in one session only`() {
        var untold = UntoldResults()
        untold.tell("a")
        untold.tell("b")
        let (first, again) = (untold.acknowledged(["a", "x"]), untold.acknowledged(["a"]))
        #expect(first == ["a"] && again.isEmpty)
        untold.beginSession()
        let later = untold.acknowledged(["b"])
        #expect(later.isEmpty)
    }
}
