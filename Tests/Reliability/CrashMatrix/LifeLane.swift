import SiteSupport
import Synchronization
import TestSupport

/// What is made, changed in some ways and removed again, each time under another number.
protocol Life: Sendable {
    associatedtype Deed: RawRepresentable, Hashable, CaseIterable, Sendable where Deed.RawValue == String
    associatedtype Answer: Sendable

    /// What lives.
    static var noun: String { get }
    var controller: Daemon { get }
    var agent: Daemon { get }

    /// Asks for it as whoever buys it does: again until there is an answer that is one.
    func order(_ deed: Deed, _ number: Int) async throws -> Answer
    /// What must be true when it is over, whoever died on the way, and is not.
    func faults(_ deed: Deed, _ number: Int, _ answer: Answer) async throws -> [String]
    /// Whether each run has this write.
    func isCertain(_ transition: Transition) -> Bool
}

extension Life {
    func isCertain(_ transition: Transition) -> Bool { true }
}

/// One daemon dies at one moment of one durable write of one deed.
struct LifePoint<Deed: RawRepresentable & Sendable>: Sendable, CustomStringConvertible where Deed.RawValue == String {
    var noun: String
    var victim: Victim
    var deed: Deed
    var transition: Transition
    var moment: Strike.Moment

    var description: String { "\(deed.rawValue) of a \(noun): the \(victim) dies \(moment) \(transition.name)" }
    var strike: Strike { Strike(scope: transition.scope, marks: transition.marks, nth: transition.nth, moment: moment) }
}

/// The traps of two daemons.
final class LifeTraps: Sendable {
    private let traps = Mutex<[Victim: Trap]>([:])
    var all: [Victim: Trap] { traps.withLock { $0 } }

    /// The words before each daemon's own.
    /// - Parameter agent: the folder of the agent.
    func set(
        in installation: Installation, agent folder: String
    ) async throws -> (controller: [String], agent: [String]) {
        let controller = try await Trap(watching: installation.folder.file("controller"))
        let agent = try await Trap(watching: installation.folder.file(folder))
        traps.withLock { $0 = [.controller: controller, .agent: agent] }
        return (controller.wrapper(), agent.wrapper())
    }
}

/// Lives, one after the other, with a death in each deed that has one left.
actor LifeLane<L: Life> {
    private let life: L
    private let traps: [Victim: Trap]
    private var number = 0
    private var points: [L.Deed: [LifePoint<L.Deed>]] = [:]
    private(set) var tally = Tally()
    /// Of the daemons in the present deed.
    private let deaths = Mutex(0)

    init(_ life: L, _ traps: [Victim: Trap]) { (self.life, self.traps) = (life, traps) }

    /// One life that nobody disturbs; its durable writes are taken down.
    func record() async throws {
        // The first of all finds things that are made once.
        try await live { deed in _ = try await perform(deed, nil) }
        try await live { deed in
            let outcome = try await perform(deed, nil)
            guard outcome.faults.isEmpty else { throw SetupFailure("\(deed): \(outcome.faults)") }
            // The last acknowledgement is still on its way.
            try await Task.sleep(for: .seconds(1))
            for victim in Victim.allCases { note(deed, victim) }
        }
    }

    private func note(_ deed: L.Deed, _ victim: Victim) {
        let transitions = Recording.transitions(traps[victim]?.lines ?? []).filter(life.isCertain)
        tally.found(subject(victim, deed), writes: transitions.count)
        let moments = victim == .agent ? [.before, .torn, .after] : Strike.Moment.allCases
        for transition in transitions {
            points[deed, default: []] += moments.map {
                LifePoint(noun: L.noun, victim: victim, deed: deed, transition: transition, moment: $0)
            }
        }
    }

    private func subject(_ victim: Victim, _ deed: L.Deed) -> String { "\(victim) \(L.noun) \(deed.rawValue)" }

    /// Keeps so many points of each deed, by chance and in a chance order.
    func sample(_ count: Int, _ seed: SeededGenerator) {
        var random = seed
        for deed in L.Deed.allCases {
            points[deed] = Array((points[deed] ?? []).shuffled(using: &random).prefix(count))
        }
    }

    func run() async throws {
        while points.values.contains(where: { !$0.isEmpty }) {
            try await live { deed in
                guard let point = points[deed]?.popLast() else {
                    _ = try await perform(deed, nil)
                    return
                }
                let outcome = try await perform(deed, point)
                tally.tried(
                    subject(point.victim, deed), "\(point)", hasDied: outcome.deaths > 0, faults: outcome.faults)
            }
        }
    }

    private func live(_ body: (L.Deed) async throws -> Void) async throws {
        number += 1
        for deed in L.Deed.allCases { try await body(deed) }
    }

    // MARK: one deed

    private func perform(
        _ deed: L.Deed, _ point: LifePoint<L.Deed>?
    ) async throws -> (faults: [String], deaths: Int) {
        for (victim, trap) in traps {
            if let point, point.victim == victim { trap.arm(point.strike) } else { trap.watch() }
        }
        deaths.withLock { $0 = 0 }
        let supervisor = Task { try await supervise() }
        let answer: Result<L.Answer, any Error>
        do { answer = .success(try await life.order(deed, number)) } catch { answer = .failure(error) }
        // The last acknowledgement comes behind the end.
        if point != nil { _ = await eventually(within: .seconds(8)) { self.deaths.withLock { $0 } > 0 } }
        supervisor.cancel()
        try await supervisor.value
        let deaths = deaths.withLock { $0 }
        if point != nil { for trap in traps.values { trap.disarm() } }
        if point?.victim == .controller, deaths > 0 {
            // An agent whose link breaks time and again waits longer and longer; the next point shall not.
            await life.agent.stop()
            try life.agent.start()
        }
        return (try await life.faults(deed, number, answer.get()), deaths)
    }

    /// Starts again what dies.
    private func supervise() async throws {
        while !Task.isCancelled {
            for (victim, trap) in traps where trap.hasSprung {
                trap.watch()
                try await (victim == .agent ? life.agent : life.controller).restart()
                deaths.withLock { $0 += 1 }
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}
