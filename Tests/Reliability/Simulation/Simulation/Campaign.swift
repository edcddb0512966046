import Glibc
import Takeover

/// Many seeds, each in a process of its own, a few at a time.
struct Campaign {
    /// Seconds of processor time that a seed may take.
    private static let limit: UInt32 = 120
    /// Real seconds between two lines that say how far it is.
    private static let silence = 30.0

    let wishes: Wishes
    let identities: Identities

    private struct Child {
        let seed: UInt64
        let pipe: Int32
        var text = ""
    }

    private struct Tally {
        var good = 0
        var bad: [UInt64] = []
        var fingerprints: [UInt64: String] = [:]
        var operations = 0
        var effects = 0
        var steps = 0
        var slowest = (seed: UInt64(0), seconds: 0.0)
    }

    func run() -> Int32 {
        let start = takeover_real_clock()
        var tally = Tally()
        var waiting = Array(wishes.first..<wishes.first + wishes.seeds)
        if wishes.isTwice { waiting += waiting }
        waiting.reverse()
        var children: [Child] = []
        var spoken = 0.0
        while !waiting.isEmpty || !children.isEmpty {
            while children.count < wishes.jobs, let seed = waiting.popLast() { children.append(spawn(seed)) }
            for index in ready(children).reversed() {
                if let text = more(children[index].pipe) {
                    children[index].text += text
                } else {
                    let done = children.remove(at: index)
                    close(done.pipe)
                    finished(done, &tally)
                    if !tally.bad.isEmpty, !wishes.keepsGoing { waiting = [] }
                }
            }
            let seconds = Double(takeover_real_clock() - start) / 1e9
            if !wishes.isQuiet, seconds - spoken > Self.silence {
                spoken = seconds
                print("\(Int(seconds)) s: \(tally.good) good, \(tally.bad.count) bad, \(waiting.count) to go")
                fflush(nil)
            }
        }
        return sum(tally, seconds: Double(takeover_real_clock() - start) / 1e9)
    }

    private func spawn(_ seed: UInt64) -> Child {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { fatalError("no pipe") }
        fflush(nil)
        guard takeover_fork(Self.limit) == 0 else {
            close(ends[1])
            return Child(seed: seed, pipe: ends[0])
        }
        close(ends[0])
        dup2(ends[1], 1)
        dup2(ends[1], 2)
        let begun = takeover_real_clock()
        SharedPool.takeOver()
        let report = Trial(seed: seed, plant: wishes.plant, identities: identities).run()
        for violation in report.violations { print("  \(violation)") }
        let seconds = Double(takeover_real_clock() - begun) / 1e9
        print(
            "done \(report.violations.isEmpty ? "good" : "bad") \(String(report.fingerprint, radix: 16)) "
                + "\(report.operations) \(report.effects) \(report.steps) \(seconds)")
        fflush(nil)
        _exit(0)
    }

    private func ready(_ children: [Child]) -> [Int] {
        var descriptors = children.map { pollfd(fd: $0.pipe, events: Int16(POLLIN), revents: 0) }
        poll(&descriptors, nfds_t(descriptors.count), -1)
        return descriptors.indices.filter { descriptors[$0].revents != 0 }
    }

    private func more(_ pipe: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(pipe, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    private func finished(_ child: Child, _ tally: inout Tally) {
        var status: Int32 = 0
        wait(&status)
        let lines = child.text.split(separator: "\n")
        let words = lines.last?.split(separator: " ").map(String.init) ?? []
        guard words.count == 7, words[0] == "done", words[1] == "good" else {
            tally.bad.append(child.seed)
            print("seed \(child.seed) is BAD:")
            for line in lines.suffix(40) { print("  \(line)") }
            if words.first != "done" { print("  it ended without a verdict (status \(status)): a trap, or no end") }
            let plant = wishes.plant.map { " PLANT=\($0.rawValue)" } ?? ""
            print("  replay it with: make simulate SEED=\(child.seed)\(plant)")
            return
        }
        tally.good += 1
        if let before = tally.fingerprints.updateValue(words[2], forKey: child.seed), before != words[2] {
            tally.bad.append(child.seed)
            print("seed \(child.seed) went two ways: \(before) and \(words[2])")
        }
        tally.operations += Int(words[3]) ?? 0
        tally.effects += Int(words[4]) ?? 0
        tally.steps += Int(words[5]) ?? 0
        if let seconds = Double(words[6]), seconds > tally.slowest.seconds { tally.slowest = (child.seed, seconds) }
    }

    private func sum(_ tally: Tally, seconds: Double) -> Int32 {
        let count = tally.good + tally.bad.count
        print(
            "\(count) runs in \(Int(seconds * 10)) tenths of a second (\(Int(Double(count) / max(seconds, 0.001))) a second): "
                + "\(tally.good) good, \(tally.bad.count) bad; \(tally.operations) operations, \(tally.effects) effects, "
                + "\(tally.steps) steps; the slowest seed is \(tally.slowest.seed)")
        return tally.bad.isEmpty ? 0 : 1
    }
}
