import Glibc
import Processes
import SiteSupport
import TestSupport

/// Something that a program does with files, which a death in the middle must not spoil. Each time on fresh ground.
protocol FileWork: Sendable {
    /// Daemon and work, for the table.
    var subject: String { get }
    /// Texts of the calls that count.
    var marks: [String] { get }
    /// How much of its calls are to be tried when all are: they may be a few less the next time.
    var isSteady: Bool { get }
    /// Makes what the work begins from. Returns the folder to watch.
    func prepare(_ number: Int) async throws -> String
    /// Does it, or dies of the trap.
    func attempt(_ number: Int, _ trap: Trap) async throws
    /// Does it (again) without a trap, and says what is not as it should be then.
    func faults(_ number: Int) async throws -> [String]
}

extension FileWork {
    var marks: [String] { [] }
    var isSteady: Bool { true }

    /// - Parameter count: points to try, by chance; the others are passed over.
    func tally(_ count: Int, _ seed: SeededGenerator) async throws -> Tally {
        var tally = Tally()
        var random = seed
        let calls = try await record()
        tally.found(subject, writes: calls.count)
        let usable = isSteady ? calls[...] : calls.prefix(calls.count * 4 / 5)
        let points = usable.indices.flatMap { index in
            Self.moments(of: calls[index]).map { (number: index + 1, call: calls[index], moment: $0) }
        }
        for (number, point) in points.shuffled(using: &random).prefix(count).enumerated() {
            let strike = Strike(scope: .calls, marks: marks, nth: point.number, moment: point.moment)
            let (hasDied, faults) = try await strikeOnce(number + 1, strike)
            tally.tried(
                subject, "\(subject): it dies \(point.moment) call \(point.number), \(point.call)", hasDied: hasDied,
                faults: faults)
        }
        return tally
    }

    private static func moments(of call: String) -> [Strike.Moment] {
        call.contains("write ") ? [.before, .torn, .after] : [.before, .after]
    }

    private func record() async throws -> [String] {
        let trap = try await Trap(watching: prepare(0))
        trap.watch(.calls)
        try await attempt(0, trap)
        trap.disarm()
        let calls = trap.lines.filter { line in line.hasPrefix("F ") && marks.allSatisfy { line.contains($0) } }
        let faults = try await faults(0)
        guard faults.isEmpty else { throw SetupFailure("\(subject): \(faults)") }
        return calls.map { String($0.dropFirst(2)) }
    }

    private func strikeOnce(_ number: Int, _ strike: Strike) async throws -> (hasDied: Bool, faults: [String]) {
        let trap = try await Trap(watching: prepare(number))
        trap.arm(strike)
        try await attempt(number, trap)
        trap.disarm()
        do { return (trap.hasSprung, try await faults(number)) } catch { return (trap.hasSprung, ["\(error)"]) }
    }
}

/// What work on files does in common.
enum Ground {
    /// Runs a program under a trap to its end, which may be a sudden one.
    static func run(_ trap: Trap, _ name: String, _ words: [String], input: String = "") async throws {
        let wrapper = trap.wrapper()
        _ = try await Child.run(
            ProcessRequest(
                wrapper[0], wrapper.dropFirst() + [Programs.path(name)] + words,
                standardInput: .bytes(Array(input.utf8)), deadline: .seconds(180)))
    }

    /// Names of the files in a folder, in order.
    static func files(in folder: String) -> [String] {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }
}
