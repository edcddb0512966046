import Takeover

/// What goes wrong, how often, and until when. Each seed has its own few kinds of trouble, so that one kind does not hide
/// what another would show.
final class Faults {
    private enum Kind: CaseIterable {
        case killAgent, killAgentInWrite, powerOffNode, stopAgent
        case killController, killControllerInWrite, powerOffController, stopController
        case reset, halfOpen, stall, cutOff
        case nodeDiskBroken, nodeDiskFull, controllerDiskBroken, controllerDiskFull
        case mood, outside, echo, ghost, events
    }

    private unowned let trial: Trial
    private let scheduler = Scheduler.shared
    private var chance: Chance
    private var isOn = false

    init(in trial: Trial) {
        self.trial = trial
        chance = Chance(seed: trial.seed, for: "faults")
    }

    func start() {
        isOn = true
        for kind in Kind.allCases where chance.happens(0.45) {
            let mean = chance.between(.seconds(4), .seconds(60))
            visit(kind, mean)
        }
    }

    func takesPower() -> Bool { chance.happens(0.5) }
    func pause() -> Moment { chance.around(.seconds(2)) }

    private func visit(_ kind: Kind, _ mean: Moment) {
        scheduler.after(chance.around(mean)) { [self] in
            guard isOn else { return }
            strike(kind)
            visit(kind, mean)
        }
    }

    /// Everything works again.
    func stop() {
        isOn = false
        trial.outside.failing = 0
        for node in trial.nodes {
            trial.network.heal(node.number)
            node.engines.mood = Engines.Mood()
        }
        for machine in trial.machines {
            machine.disk.pointee.broken = false
            machine.disk.pointee.full = false
            machine.disk.pointee.fuse = 0
        }
        scheduler.trace.line(at: scheduler.now, "world", "no more faults")
    }

    private func strike(_ kind: Kind) {
        let node = chance.pick(trial.nodes)
        let controller = trial.controller
        scheduler.trace.line(at: scheduler.now, "world", "fault \(kind) (node-\(node.number) or controller)")
        switch kind {
        case .killAgent: node.kill(power: false, restart: pause())
        case .killAgentInWrite: node.disk.pointee.fuse = Int64(1 + chance.below(12))
        case .powerOffNode: node.losePower(restart: .seconds(5) + pause())
        case .stopAgent: node.stopInOrder()
        case .killController: controller.kill(power: false, restart: pause())
        case .killControllerInWrite: controller.disk.pointee.fuse = Int64(1 + chance.below(30))
        case .powerOffController: controller.kill(power: true, restart: .seconds(5) + pause())
        case .stopController: controller.stopInOrder()
        case .nodeDiskBroken: trouble(node) { $0.pointee.broken = $1 }
        case .nodeDiskFull: trouble(node) { $0.pointee.full = $1 }
        case .controllerDiskBroken: trouble(controller) { $0.pointee.broken = $1 }
        case .controllerDiskFull: trouble(controller) { $0.pointee.full = $1 }
        case .cutOff: cutOff(node)
        case .mood: mood(node)
        case .outside: trial.outside.failing = chance.pick([0, 0.05, 0.3])
        case .events: if let owner = node.owner { for _ in 0...chance.below(4) { node.gauge.happen(in: owner) } }
        case .reset, .halfOpen, .stall, .echo, .ghost: strike(kind, on: trial.network.live)
        }
    }

    private func strike(_ kind: Kind, on connections: [Connection]) {
        guard !connections.isEmpty else { return }
        let connection = chance.pick(connections)
        let direction = chance.pick([Connection.Direction.toAgent, .toController])
        switch kind {
        case .reset: connection.reset()
        case .halfOpen: connection.halfOpen(losing: direction)
        case .stall: connection.stall(direction, until: scheduler.now + chance.around(.seconds(10)))
        case .echo: connection.echo(trial.truth.begun(on: connection.node), &chance)
        case .ghost: connection.ghost(trial.truth.overtaken(on: connection.node), &chance)
        default: break
        }
    }

    private func trouble(
        _ machine: Machine, _ set: @escaping (UnsafeMutablePointer<TakeoverDisk>, Bool) -> Void
    ) {
        let length = chance.around(.seconds(6))
        machine.troubles.append(scheduler.now...scheduler.now + length)
        set(machine.disk, true)
        scheduler.after(length) { set(machine.disk, false) }
    }

    private func cutOff(_ node: NodeMachine) {
        trial.network.cutOff(node.number)
        scheduler.after(chance.around(chance.pick([.seconds(10), .seconds(90)]))) { [self] in
            trial.network.heal(node.number)
        }
    }

    private func mood(_ node: NodeMachine) {
        let part = chance.pick([0.05, 0.3, 0.8])
        switch chance.below(5) {
        case 4: node.engines.mood.pods = chance.pick([.seconds(1), .seconds(30), .seconds(200)])
        case 0: node.engines.mood = Engines.Mood()
        case 1: node.engines.mood.failing = part
        case 2: node.engines.mood.slow = part
        default: node.engines.mood.hanging = part / 3
        }
    }
}
