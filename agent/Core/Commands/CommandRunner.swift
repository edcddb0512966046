import DaemonKit
import DriverKit
import Logging
import Model
import NIOCore
import WireProtocol

/// Takes commands, answers for them by receipts, runs them in their lanes and tells how they ended.
///
/// It lives on the link's event loop. What goes to disk goes through one queue, so that a burst of commands costs one sync
/// and the order on disk is the order of events.
actor CommandRunner {
    struct Surroundings: Sendable {
        let drivers: [String: any Driver]
        let policy: Policy
        let journal: Journal
        /// Epoch of everything that this node remembers.
        let epoch: String
        let audit: Audit
        let outlet: Outlet
        let logger: Logger
        /// Whether the node may have this driver yet: something of what it drives is there.
        let awaits: @Sendable (_ driver: String) -> Bool
        /// A command that may have changed something of a driver has ended.
        let changed: @Sendable (_ driver: String) -> Void
        /// The journal cannot be used any more.
        let broken: @Sendable (any Error) -> Void
    }

    let around: Surroundings
    private(set) var drivers: [String: any Driver]
    private let loop: any EventLoop
    var inHand: Workload
    var queue = JournalQueue()
    var untold = UntoldResults()
    var isStopping = false
    var lastWords = LastWords()
    /// How long a result waits for the controller to ask for its command, so as not to overtake what it said.
    private static let hearing = Duration.seconds(5)
    var whenIdle: [CheckedContinuation<Void, Never>] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    init(_ around: Surroundings) {
        self.around = around
        drivers = around.drivers
        loop = around.outlet.loop
        inHand = Workload(Lanes(limits: around.drivers.mapValues { Lanes.Limit($0) }))
    }

    /// A driver that was found later.
    func add(_ driver: any Driver) {
        let name = type(of: driver).name
        drivers[name] = driver
        inHand.add(name, Lanes.Limit(driver))
    }

    func after(_ wait: Duration, _ body: @escaping @Sendable (isolated CommandRunner) -> Void) -> Scheduled<Void> {
        loop.scheduleTask(in: TimeAmount(wait)) { [weak self] in self?.assumeIsolated(body) }
    }

    /// Runs on the event loop soon, from any thread and without waiting.
    nonisolated func soon(_ body: @escaping @Sendable (isolated CommandRunner) -> Void) {
        around.outlet.loop.execute { [weak self] in self?.assumeIsolated(body) }
    }
}

extension CommandRunner: LinkListener {
    func sessionOpened(_ welcome: Welcome) {
        untold.beginSession()
        for id in inHand.ids { inHand[id]?.window.detach() }
        for result in untold.looks where !lastWords.holds(result.id) { around.outlet.send(.result(result)) }
        Task { await resendResults() }
        _ = after(Self.hearing) { $0.tellHeldResults() }
    }

    func sessionClosed() {
        for id in inHand.ids {
            inHand[id]?.window.detach()
            wakeWriters(of: id)
        }
    }

    func outletReady() {}

    func received(_ message: ControllerMessage) {
        switch message {
        case .command(let command): receive(command)
        case .cancel(let cancel): stop(cancel.id, .cancel(cancel.reason))
        case .input(let input): feed(input)
        case .window(let window):
            inHand[window.id]?.window.grant(Int(clamping: window.credit))
            sendOutput(of: window.id)
        case .ack(let ack): acknowledged(ack.results)
        default: break
        }
    }
}

extension Lanes.Limit {
    init(_ driver: any Driver) { self.init(changes: driver.concurrency, looks: driver.looks) }
}

extension ActionSpec {
    /// A look whose bytes go out as fast as they are taken lasts as long as its reader likes.
    var standing: Lanes.Standing {
        if isLasting || kind == .observe && givesBytes { return .lasting }
        if kind == .observe { return .look }
        return input != .none || givesBytes || isSlow ? .stream : .change
    }
}

extension ActionSpec {
    /// The resource that a command's arguments name; nil where they name none. What the policy allows on one resource must
    /// not be done to another.
    func resource(of command: Command) -> String? {
        resource.flatMap(ResourceForm.init)?.resource(of: command.arguments)
    }
}
