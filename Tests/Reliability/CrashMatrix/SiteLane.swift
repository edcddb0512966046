import SiteSupport
import StandIns
import Synchronization
import TestSupport
import WireProtocol

/// What is done with a site, in this order.
enum SiteDeed: String, Sendable, CaseIterable {
    case create, suspend, unsuspend, backup, delete

    var path: String {
        switch self {
        case .create: "/create-site"
        case .delete: "/delete-site"
        case .backup: "/actions/backup"
        default: "/\(rawValue)"
        }
    }

    /// What its status is afterwards.
    var status: String {
        switch self {
        case .suspend: "suspended"
        case .delete: "deleted"
        default: "running"
        }
    }
}

/// One daemon dies at one moment of one durable write of one deed.
struct SitePoint: Sendable, CustomStringConvertible {
    var victim: Victim
    var deed: SiteDeed
    var transition: Transition
    var moment: Strike.Moment

    var description: String { "\(deed) of a site: the \(victim) dies \(moment) \(transition.name)" }
    var strike: Strike { Strike(scope: transition.scope, marks: transition.marks, nth: transition.nth, moment: moment) }
}

/// The traps of a town's daemons.
final class SiteTraps: Sendable {
    private let traps = Mutex<[Victim: Trap]>([:])
    var all: [Victim: Trap] { traps.withLock { $0 } }

    /// The words before each daemon's own.
    func set(in installation: Installation) async throws -> (controller: [String], agent: [String]) {
        let controller = try await Trap(watching: installation.folder.file("controller"))
        let agent = try await Trap(watching: installation.folder.file(SiteTown.node))
        traps.withLock { $0 = [.controller: controller, .agent: agent] }
        return (controller.wrapper(), agent.wrapper())
    }
}

/// Lives of sites, one after the other, with a death in each deed that has one left.
actor SiteLane {
    private let town: SiteTown
    private let traps: [Victim: Trap]
    private var number = 0
    private var points: [SiteDeed: [SitePoint]] = [:]
    private(set) var tally = Tally()
    /// Of the daemons in the present deed.
    private let deaths = Mutex(0)

    init(_ town: SiteTown, _ traps: [Victim: Trap]) { (self.town, self.traps) = (town, traps) }

    /// One life that nobody disturbs; its durable writes are taken down.
    func record() async throws {
        // The first of all finds things that are made once.
        try await life { deed in _ = try await perform(deed, nil) }
        try await life { deed in
            let outcome = try await perform(deed, nil)
            guard outcome.faults.isEmpty else { throw SetupFailure("\(deed): \(outcome.faults)") }
            // The last acknowledgement is still on its way.
            try await Task.sleep(for: .seconds(1))
            for victim in Victim.allCases {
                let transitions = Recording.transitions(traps[victim]?.lines ?? [])
                tally.found("\(victim) site \(deed)", writes: transitions.count)
                let moments = victim == .agent ? [.before, .torn, .after] : Strike.Moment.allCases
                for transition in transitions {
                    points[deed, default: []] += moments.map {
                        SitePoint(victim: victim, deed: deed, transition: transition, moment: $0)
                    }
                }
            }
        }
    }

    /// Keeps so many points of each deed, by chance and in a chance order.
    func sample(_ count: Int, _ seed: SeededGenerator) {
        var random = seed
        for deed in SiteDeed.allCases {
            points[deed] = Array((points[deed] ?? []).shuffled(using: &random).prefix(count))
        }
    }

    func run() async throws {
        while points.values.contains(where: { !$0.isEmpty }) {
            try await life { deed in
                guard let point = points[deed]?.popLast() else {
                    _ = try await perform(deed, nil)
                    return
                }
                let outcome = try await perform(deed, point)
                tally.tried(
                    "\(point.victim) site \(deed)", "\(point)", hasDied: outcome.deaths > 0, faults: outcome.faults)
            }
        }
    }

    private func life(_ body: (SiteDeed) async throws -> Void) async throws {
        number += 1
        for deed in SiteDeed.allCases { try await body(deed) }
    }

    // MARK: one deed

    private func perform(_ deed: SiteDeed, _ point: SitePoint?) async throws -> (faults: [String], deaths: Int) {
        for (victim, trap) in traps {
            if let point, point.victim == victim { trap.arm(point.strike) } else { trap.watch() }
        }
        deaths.withLock { $0 = 0 }
        let supervisor = Task { try await supervise() }
        let answer: Result<(status: Int, body: JSONValue), any Error>
        do { answer = .success(try await insist(deed)) } catch { answer = .failure(error) }
        // The last acknowledgement comes behind the end.
        if point != nil { _ = await eventually(within: .seconds(8)) { self.deaths.withLock { $0 } > 0 } }
        supervisor.cancel()
        try await supervisor.value
        let deaths = deaths.withLock { $0 }
        if point != nil { for trap in traps.values { trap.disarm() } }
        if point?.victim == .controller, deaths > 0 {
            // An agent whose link breaks time and again waits longer and longer; the next point shall not.
            await town.agent.stop()
            try town.agent.start()
        }
        return (try await faults(deed, answer.get()), deaths)
    }

    /// Starts again what dies.
    private func supervise() async throws {
        while !Task.isCancelled {
            for (victim, trap) in traps where trap.hasSprung {
                trap.watch()
                try await (victim == .agent ? town.agent : town.controller).restart()
                deaths.withLock { $0 += 1 }
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Asks as a panel does: again until there is an answer that is one.
    private func insist(_ deed: SiteDeed) async throws -> (status: Int, body: JSONValue) {
        var body: JSONObject = ["service_id": .string("life-\(number)")]
        if deed == .create { (body["email"], body["plan"]) = (.string("life\(number)@example.org"), "basic") }
        let end = ContinuousClock.now + .seconds(120)
        while true {
            let answer = try? await town.ask("POST", deed.path, body)
            if let answer, answer.status != 202,
                answer.status != 502 || answer.body["error"]?.asString?.contains("op_") == true
            {
                return answer
            }
            guard ContinuousClock.now < end else { throw SetupFailure("\(deed.path) gets no answer") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// What must be true when it is over, whoever died on the way.
    private func faults(_ deed: SiteDeed, _ answer: (status: Int, body: JSONValue)) async throws -> [String] {
        var faults: [String] = []
        if answer.status != 200 || answer.body["status"]?.asString != deed.status {
            faults.append("it is answered with \(answer.status) \(answer.body.text.prefix(500))")
        }
        let (containers, isThere) = (try await town.containers(), deed != .delete)
        if containers.count != (isThere ? 1 : 0) { faults.append("there are containers \(containers)") }
        for number in containers {
            let state = try await town.pct("status", number)
            if state.contains("running") != (deed != .suspend) { faults.append("the container is \(state)") }
        }
        let records = try await town.outside.state(.cloudflare)["records"]?.asArray?.count ?? -1
        if records != (isThere ? 1 : 0) { faults.append("there are \(records) records") }
        if deed == .create {
            let page = try await town.visit("life\(number).sites.example.org")
            if !page.hasSuffix(" 200") { faults.append("the page is \(page)") }
        }
        if deed == .backup {
            let list = try await town.ask("GET", "/actions/backups?service_id=life-\(number)").body["backups"]?.asArray
            if list?.isEmpty != false { faults.append("there is no backup: \(list ?? [])") }
        }
        return faults
    }
}
