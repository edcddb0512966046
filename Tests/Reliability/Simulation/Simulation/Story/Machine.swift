import Takeover

/// A computer with one process of ours and a disk.
class Machine: @unchecked Sendable {
    // Unchecked: one thread.
    let number: Int
    let name: String
    unowned let trial: Trial
    private(set) var owner: Owner?
    private var lives = 0
    private var deaths: [ObjectIdentifier: Moment] = [:]
    /// Owners are kept: their identities must stay theirs.
    private var past: [Owner] = []
    /// When its disk did not take writes.
    var troubles: [ClosedRange<Moment>] = []
    /// It does not come back by itself.
    var isHeldDown = false
    let scheduler = Scheduler.shared

    init(_ number: Int, _ name: String, in trial: Trial) {
        self.number = number
        self.name = name
        self.trial = trial
    }

    var isUp: Bool { owner != nil }
    var disk: UnsafeMutablePointer<takeover_disk> { takeover_disk_state(Int32(number)) }

    final func log(_ text: @autoclosure () -> String) { scheduler.trace.line(at: scheduler.now, name, text()) }

    /// Starts the process, as the service manager does.
    final func start() {
        guard owner == nil, !isHeldDown else { return }
        lives += 1
        let owner = Owner(name)
        self.owner = owner
        log("starts (life \(lives))")
        scheduler.within(owner) { launch(owner) }
    }

    /// The process itself, in its own context.
    func launch(_ owner: Owner) {}

    /// What the rest of the world sees of the death.
    func buried() {}

    /// The process ends at once, wherever it is.
    /// - Parameter power: the whole machine goes, and what was not synced goes with it.
    final func kill(power: Bool, restart wait: Moment) {
        guard let owner else { return }
        log(power ? "loses power" : "is killed")
        owner.die()
        deaths[ObjectIdentifier(owner)] = scheduler.now
        past.append(owner)
        takeover_disk_orphan(Int32(number), power)
        trial.network.died(owner, silently: power)
        self.owner = nil
        buried()
        scheduler.trace.mix(UInt64(number) << 8 ^ (power ? 1 : 0))
        scheduler.after(wait) { [self] in start() }
    }

    /// When a process of this machine died; the end of time when it lives.
    final func death(of owner: Owner) -> Moment { deaths[ObjectIdentifier(owner)] ?? .max }

    /// The process has come to its own end.
    final func ended(_ owner: Owner, _ reason: String) {
        guard self.owner === owner else { return }
        log("has ended: \(reason)")
        scheduler.after(0) { [self] in
            guard self.owner === owner else { return }
            kill(power: false, restart: .seconds(2))
        }
    }
}
