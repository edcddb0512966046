import ControllerCore
import ControllerEngine
import Model
import Sessions
import Store
import Takeover
import WireProtocol

/// One seed: a controller, some nodes and customers, faults for a while, then peace, and the reckoning.
package final class Trial: @unchecked Sendable {
    // Unchecked: one thread.
    /// After the faults have stopped, all must come to rest within this time: no saga may take longer.
    static let patience: Moment = .seconds(20 * 60)

    let seed: UInt64
    let options: Options
    let identities: Identities
    let truth = Truth()
    let network: Network
    let scheduler = Scheduler.shared
    private(set) var nodes: [NodeMachine] = []
    private(set) lazy var outside = Outside(in: self)
    private(set) lazy var controller = ControllerMachine(in: self)
    private lazy var customers = Customers(in: self)
    private lazy var faults = Faults(in: self)
    private lazy var watch = WireWatch(in: self)
    private var isSetUp = false

    /// How a seed ended.
    package struct Report: Sendable {
        package var seed: UInt64
        package var violations: [String]
        package var fingerprint: UInt64
        package var steps: Int
        package var time: Moment
        package var operations: Int
        package var effects: Int
    }

    package init(seed: UInt64, plant: Plant?, identities: Identities) {
        self.seed = seed
        self.identities = identities
        options = Options(seed: seed, plant: plant)
        network = Network(seed: seed)
    }

    package func run() -> Report {
        scheduler.begin(seed: seed)
        begin()
        scheduler.run(until: scheduler.now + options.duration, or: { !self.truth.violations.isEmpty })
        faults.stop()
        customers.stop()
        let rest = Rest(of: self)
        rest.begin()
        scheduler.run(
            until: scheduler.now + Self.patience, or: { rest.isReached || !self.truth.violations.isEmpty })
        if truth.violations.isEmpty, !rest.isReached { truth.violated("no rest: \(rest.obstacle)") }
        let operations = truth.violations.isEmpty ? reckon() : 0
        return Report(
            seed: seed, violations: truth.violations, fingerprint: scheduler.trace.fingerprint,
            steps: scheduler.steps, time: scheduler.now, operations: operations,
            effects: truth.effects.values.reduce(0, +))
    }

    private func begin() {
        network.cutsLines = options.cutsLines
        network.mean = options.mean
        network.pass = { [unowned self] in watch.pass($0, $1, $2) }
        nodes = (1...options.nodes).map { NodeMachine($0, in: self) }
        network.isDying = { [unowned self] in isDying($0) }
        scheduler.afterStep = { [unowned self] in buryBurnt() }
        controller.start()
        scheduler.run(until: .seconds(60), or: { self.controller.engine != nil })
        guard controller.engine != nil else { return truth.violated("the controller did not start") }
        for node in nodes { scheduler.after(node.gauge.node == 1 ? 0 : .seconds(1)) { node.start() } }
        scheduler.run(until: scheduler.now + .seconds(3))
        if options.plant == .receiptAfterEffect { for node in nodes { node.disk.pointee.lying = Self.journalName } }
        customers.start()
        faults.start()
        bound()
    }

    // Never freed: the disk keeps the address.
    private static nonisolated(unsafe) let journalName: UnsafePointer<CChar> = {
        let name = Array("journal.sqlite".utf8CString)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: name.count)
        copy.initialize(from: name, count: name.count)
        return UnsafePointer(copy)
    }()

    var machines: [Machine] { [controller] + nodes }

    private func isDying(_ owner: Owner) -> Bool {
        if owner.isDead { return true }
        return machines.contains { $0.owner === owner && $0.disk.pointee.burnt }
    }

    /// A process whose disk stopped in the middle of a write is dead.
    private func buryBurnt() {
        for machine in machines where machine.disk.pointee.burnt {
            machine.kill(power: faults.takesPower(), restart: .seconds(1) + faults.pause())
        }
    }

    /// The first start of the controller finds an empty store.
    func setUp(_ engine: Engine) async throws {
        guard !isSetUp else { return }
        for node in nodes {
            let now = Timestamp.now()
            guard try await engine.store.node(node.name) == nil else { continue }
            try await engine.store.insertNode(
                NodeRecord(id: node.name, name: node.name, enrolledAt: now, approvedAt: now))
            engine.revocations.enrolled(node.name)
        }
        for (name, megabytes) in [("small", 64), ("large", 256)] {
            _ = try await engine.operations.createPlan(
                name: name,
                spec: [
                    "image": "web:1", "memory_bytes": .integer(Int64(megabytes) << 20), "cpu_millis": 100,
                    "disk_bytes": .integer(Int64(megabytes) << 22),
                ], by: .init(name: "simulation"))
        }
        for (name, gib) in [("shop", 5), ("large-shop", 20)] {
            _ = try await engine.operations.createPlan(
                name: name, product: "store", spec: Shops.plan(files: Int64(gib)), by: .init(name: "simulation"))
        }
        try await Sites.setUp(engine, by: .init(name: "simulation"))
        for (name, gib) in [("site", 2), ("large-site", 4)] {
            _ = try await engine.operations.createPlan(
                name: name, product: "wordpress", spec: Sites.plan(gib: Int64(gib)), by: .init(name: "simulation"))
        }
        isSetUp = true
    }

    /// Looks now and then whether anything grows without end.
    private func bound() {
        if scheduler.backlog > 50_000 { truth.violated("\(scheduler.backlog) pieces of work wait") }
        for node in nodes where takeover_disk_size(Int32(node.number), "spool.sqlite") > 4 << 20 {
            truth.violated("the spool of \(node.name) grows without end")
        }
        for connection in network.live where connection.pending > 10 << 20 {
            truth.violated("\(connection.pending) bytes wait on the connection of node-\(connection.node)")
        }
        scheduler.after(.seconds(1)) { [unowned self] in bound() }
    }

    private func reckon() -> Int {
        controller.isHeldDown = true
        controller.kill(power: false, restart: 0)
        do {
            let books = try Books(path: ControllerMachine.storePath)
            Reckoning(trial: self, books: books, customers: customers).run()
            return books.operations.count
        } catch {
            truth.violated("the store cannot be read: \(error)")
            return 0
        }
    }
}
