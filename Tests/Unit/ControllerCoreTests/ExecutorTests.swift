import Logging
import Model
import Placement
import Saga
import ServiceLifecycle
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

extension Stage {
    /// An executor at work while `body` runs; ended in an orderly way afterwards.
    func executing(
        limits: ExecutorLimits = .standard, in dependencies: Dependencies? = nil,
        _ body: (Executor, Operations) async throws -> Void
    ) async throws {
        let dependencies = dependencies ?? self.dependencies
        let executor = Executor(dependencies: dependencies, limits: limits)
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: executor)], logger: dependencies.logger))
        let work = Task { try await group.run() }
        let result: Result<Void, any Error>
        do {
            try await body(executor, Operations(dependencies: dependencies, wake: { executor.wake() }))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await work.value
        try result.get()
    }

    /// Waits, with a generous limit, until `condition` holds.
    func until(_ what: Comment, _ condition: () async throws -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < limit {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("it did not come to this: \(what)")
    }

    func state(_ operation: ServiceOperation) async throws -> OperationRecord.State {
        try await outcome(operation.operation.id).state
    }
}

@Suite struct ExecutorTests {
    @Test func `queued operations of one service run one after the other, in their order`() async throws {
        try await Stage.with { stage in
            try await stage.executing { _, operations in
                let made = try await operations.createService(
                    ServiceRequest(customer: "c", plan: "small"), by: Stage.by)
                let id = made.service.id
                _ = try await operations.suspend(id, by: Stage.by)
                _ = try await operations.resume(id, by: Stage.by)
                _ = try await operations.upgrade(id, UpgradeRequest(plan: "large"), by: Stage.by)
                let last = try await operations.terminate(id, by: Stage.by)

                try await stage.until("all is done") { try await stage.store.unfinishedOperations().isEmpty }
                let states = try await stage.store.operations(OperationFilter(service: id)).items
                #expect(
                    Set(states.filter { $0.kind != "terminate" }.map(\.state)).isSubset(of: [
                        .cancelled, .succeeded, .failed,
                    ]))
                #expect(try await stage.state(last) == .succeeded)
                #expect(stage.node.belongings.containers.isEmpty && stage.node.belongings.datasets.isEmpty)
            }
        }
    }

    @Test func `a whole life goes through the executor`() async throws {
        try await Stage.with { stage in
            try await stage.executing { _, operations in
                let made = try await operations.createService(
                    ServiceRequest(customer: "c", plan: "small"), by: Stage.by)
                let id = made.service.id
                let orders = [
                    made, try await operations.suspend(id, by: Stage.by), try await operations.resume(id, by: Stage.by),
                    try await operations.upgrade(id, UpgradeRequest(plan: "large"), by: Stage.by),
                ]
                try await stage.until("the queue is empty") { try await stage.store.unfinishedOperations().isEmpty }
                for order in orders { #expect(try await stage.state(order) == .succeeded) }
                #expect(try await stage.service(id).state == .running)
                let ended = try await operations.terminate(id, by: Stage.by)
                try await stage.until("it is gone") { try await stage.state(ended) == .succeeded }
                let log = try await stage.store.log(made.operation.id)
                #expect(log.contains { $0.text.contains("chosen with a score") })
                #expect(log.last?.text == "succeeded")
            }
            #expect(
                stage.node.log == [
                    "zfs.dataset.ensure", "docker.image.pull", "docker.container.ensure", "zfs.dataset.snapshot",
                    "docker.container.stop", "docker.container.start", "zfs.dataset.usage", "zfs.dataset.quota",
                    "docker.container.update", "docker.container.remove", "zfs.dataset.destroy",
                ])
        }
    }

    @Test func `an executor that ends in the middle leaves the rest to the next one`() async throws {
        try await Stage.with { stage in
            stage.node.change { $0.isHeld = true }
            var made: ServiceOperation?
            try await stage.executing { _, operations in
                made = try await operations.createService(ServiceRequest(customer: "c", plan: "small"), by: Stage.by)
                try await stage.until("it runs") { try await stage.store.runningOperations().count == 1 }
            }
            let order = try #require(made)
            #expect(try await stage.state(order) == .running)
            stage.node.change { $0.isHeld = false }
            try await stage.executing { _, _ in
                try await stage.until("it is done") { try await stage.state(order) == .succeeded }
            }
            #expect(stage.node.mostEffects == 1)
            #expect(stage.node.belongings.containers.count == 1)
        }
    }

    @Test func `no more run on a node than may, and the others say that they wait`() async throws {
        try await Stage.with { stage in
            stage.node.change { $0.isHeld = true }
            let limits = ExecutorLimits(perNode: 2, perKind: 100, unplaced: 32)
            try await stage.executing(limits: limits) { _, operations in
                var orders: [ServiceOperation] = []
                for number in 1...6 {
                    orders.append(
                        try await operations.createService(
                            ServiceRequest(externalID: "o\(number)", customer: "c", plan: "small"), by: Stage.by))
                }
                try await stage.until("all are placed") {
                    try await stage.store.nodeLoads()["nod_1"]?.services == 6
                }
                func running() async throws -> [OperationRecord] {
                    try await stage.store.runningOperations().filter { $0.node == "nod_1" }
                }
                try await stage.until("two run") { try await running().count == 2 }
                try await stage.until("the others wait") {
                    try await stage.store.unfinishedOperations().count { $0.state == .queued } == 4
                }
                let waiting = try #require(
                    try await stage.store.unfinishedOperations().last { $0.state == .queued && $0.startedAt != nil })
                // One that has a place by now is undone when it is called off, not forgotten.
                _ = try await operations.cancel(waiting.id, by: Stage.by)
                #expect(try await stage.outcome(waiting.id).state == .queued)
                stage.node.change { $0.isHeld = false }
                var most = 0
                try await stage.until("all are done") {
                    most = max(most, try await running().count)
                    return try await stage.store.unfinishedOperations().isEmpty
                }
                #expect(most <= 2)
                for order in orders {
                    let wanted: OperationRecord.State = order.operation.id == waiting.id ? .cancelled : .succeeded
                    #expect(try await stage.state(order) == wanted)
                }
                #expect(try await stage.store.nodeLoads()["nod_1"]?.services == 5)
                #expect(stage.node.belongings.containers.count == 5 && stage.node.belongings.datasets.count == 5)
            }
        }
    }

    @Test func `a running operation that is called off is undone, and its command is stopped`() async throws {
        try await Stage.with { stage in
            try await stage.executing { _, operations in
                stage.node.change { $0.isHeld = true }
                let made = try await operations.createService(
                    ServiceRequest(customer: "c", plan: "small"), by: Stage.by)
                try await stage.until("it is on a node") { try await stage.store.nodeLoads()["nod_1"] != nil }
                _ = try await operations.cancel(made.operation.id, by: Stage.by)
                try await stage.until("the agent is told") { stage.node.state.withLock { !$0.cancelled.isEmpty } }
                stage.node.change { $0.isHeld = false }
                try await stage.until("it is cancelled") { try await stage.state(made) == .cancelled }
                #expect(try await stage.books(made.service.id).names.isEmpty)
                #expect(stage.node.belongings.datasets.isEmpty)
                #expect(try await stage.service(made.service.id).state == .failed)
            }
        }
    }

    @Test func `what wakes a waiting operation early does not keep it awake`() async throws {
        try await Stage.with { stage in
            // No node is there, so the first step fails and waits some seconds before it tries again.
            stage.node.change { $0.connected = false }
            let pauses = Mutex(0)
            var dependencies = stage.dependencies
            let now = Timestamp.now()
            dependencies.clock = ClockPort(
                now: { now },
                pause: { _ in
                    pauses.withLock { $0 += 1 }
                    try? await Task.sleep(for: .seconds(3600))
                }, timer: { try? await Task.sleep(for: $0) })
            let made = try await stage.operations.createService(
                ServiceRequest(customer: "c", plan: "small"), by: Stage.by)
            let signals = RunSignals()
            let loading = OperationLoading(dependencies: dependencies, rules: .standard) { _, _ in }
            let loaded = try await loading.load(made.operation, signals) { _ in true }
            let work = Task { try await loaded.get()() }
            try await stage.until("it waits") { pauses.withLock { $0 } == 1 }
            for number in 2...4 {
                signals.send(.wake)
                try await stage.until("it looks again") { pauses.withLock { $0 } == number }
            }
            try await Task.sleep(for: .milliseconds(200))
            #expect(pauses.withLock { $0 } == 4)
            work.cancel()
            #expect(try await work.value == .stopped)
        }
    }

    @Test func `a termination calls off what runs and what waits, and then has its turn`() async throws {
        try await Stage.with { stage in
            try await stage.executing { _, operations in
                stage.node.change { $0.isHeld = true }
                let made = try await operations.createService(
                    ServiceRequest(customer: "c", plan: "small"), by: Stage.by)
                try await stage.until("it is on a node") { try await stage.store.nodeLoads()["nod_1"] != nil }
                let waiting = try await operations.suspend(made.service.id, by: Stage.by)
                let ended = try await operations.terminate(made.service.id, by: Stage.by)
                #expect(try await stage.state(waiting) == .cancelled)
                #expect(try await operations.terminate(made.service.id, by: Stage.by).created == false)
                stage.node.change { $0.isHeld = false }
                try await stage.until("it is gone") { try await stage.state(ended) == .succeeded }
                #expect(try await stage.state(made) == .cancelled)
                #expect(try await stage.service(made.service.id).state == .terminated)
                #expect(stage.node.belongings.datasets.isEmpty && stage.node.belongings.containers.isEmpty)
            }
        }
    }

    @Test func `a node that is away holds its operations up, and they go on when it is back`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            stage.clock.state.withLock { $0.jumps = false }
            try await stage.executing { _, operations in
                stage.node.change { $0.connected = false }
                let order = try await operations.suspend(service.id, by: Stage.by)
                try await stage.until("it has tried") {
                    try await stage.store.log(order.operation.id).contains { $0.text.contains("unreachable") }
                }
                stage.node.change { $0.connected = true }
                try await stage.until("it is done") { try await stage.state(order) == .succeeded }
                #expect(stage.node.belongings.containers.values.first?.running == false)
            }
        }
    }

    @Test func `an order that waits for a node goes on as soon as the node connects`() async throws {
        try await Stage.with { stage in
            var dependencies = stage.dependencies
            dependencies.clock.pause = { _ in try? await Task.sleep(for: .seconds(3600)) }
            stage.node.change { $0.connected = false }
            try await stage.executing(in: dependencies) { _, operations in
                let made = try await operations.createService(
                    ServiceRequest(customer: "c", plan: "small"), by: Stage.by)
                try await stage.until("it waits") {
                    try await stage.store.log(made.operation.id).contains { $0.text.contains("it is not connected") }
                }
                stage.node.change { $0.connected = true }
                // A hello at another time is a change of the node, by which the executor hears of it.
                stage.clock.state.withLock { $0.milliseconds += 1000 }
                try await stage.addNode("nod_1", again: true)
                try await stage.until("it is done") { try await stage.state(made) == .succeeded }
                let attempts = try await stage.store.log(made.operation.id).filter { $0.text.hasPrefix("attempt ") }
                #expect(attempts.count == 1)
            }
        }
    }

    @Test func `a node that comes and goes again uses up one attempt, not all of them`() async throws {
        try await Stage.with { stage in
            var dependencies = stage.dependencies
            dependencies.clock.pause = { _ in try? await Task.sleep(for: .seconds(3600)) }
            let isThereOnce = Mutex(false)
            let connected = dependencies.agents.connected
            dependencies.agents.connected = {
                let isThere = isThereOnce.withLock { once in
                    defer { once = false }
                    return once
                }
                return isThere ? ["nod_1"] : await connected()
            }
            stage.node.change { $0.connected = false }
            func greet() async throws {
                stage.clock.state.withLock { $0.milliseconds += 1000 }
                try await stage.addNode("nod_1", again: true)
            }
            try await stage.executing(in: dependencies) { _, operations in
                let made = try await operations.createService(
                    ServiceRequest(customer: "c", plan: "small"), by: Stage.by)
                func refusals() async throws -> Int {
                    try await stage.store.log(made.operation.id).filter {
                        $0.text.contains("no node can take the service")
                    }
                    .count
                }
                try await stage.until("it waits") { try await refusals() > 0 }
                let first = try await refusals()
                isThereOnce.withLock { $0 = true }
                try await greet()
                try await stage.until("it has tried again") { try await refusals() > first }
                stage.node.change { $0.connected = true }
                try await greet()
                try await stage.until("it is done") { try await stage.state(made) == .succeeded }
                let attempts = try await stage.store.log(made.operation.id).filter { $0.text.hasPrefix("attempt ") }
                #expect(attempts.count == 2)
            }
        }
    }

    @Test func `a node that stays away ends its operations when their time is up, as unknown`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            try await stage.executing { _, operations in
                stage.node.change { $0.connected = false }
                let order = try await operations.suspend(service.id, by: Stage.by)
                try await stage.until("its time is up") { try await stage.store.unfinishedOperations().isEmpty }
                let outcome = try await stage.outcome(order.operation.id)
                #expect(outcome.state == .needsAttention)
                #expect(outcome.error?.message.contains("container (unknown: the node is unreachable)") == true)
                #expect(outcome.error?.retryable == true)
            }
        }
    }

    @Test func `no more operations than allowed are on one node at a time`() async throws {
        try await Stage.with { stage in
            let limits = ExecutorLimits(perNode: 2, perKind: 100, unplaced: 8)
            stage.node.change { $0.isHeld = true }
            try await stage.executing(limits: limits) { _, operations in
                for number in 1...6 {
                    _ = try await operations.createService(
                        ServiceRequest(externalID: "o-\(number)", customer: "c", plan: "small"), by: Stage.by)
                }
                try await stage.until("all are placed") { try await stage.store.nodeLoads()["nod_1"]?.services == 6 }
                stage.node.change { $0.isHeld = false }
                try await stage.until("all are done") { try await stage.store.unfinishedOperations().isEmpty }
                #expect(stage.node.belongings.containers.count == 6)
                #expect(stage.node.state.withLock { $0.mostInside } == 2)
            }
        }
    }

    @Test func `an operation with a damaged journal needs attention and nothing is done`() async throws {
        try await Stage.with { stage in
            let made = try await stage.create()
            _ = try await stage.store.claimOperation(made.operation.id, at: stage.clock.port.now())
            try await stage.store.appendJournal(
                made.operation.id, after: 0, [["entry": "undone", "step": "nowhere"]], at: stage.clock.port.now())
            try await stage.executing { _, _ in
                try await stage.until("it is set aside") { try await stage.state(made) == .needsAttention }
            }
            #expect(
                try await stage.outcome(made.operation.id).error?.message.contains("journal cannot be replayed") == true
            )
            #expect(stage.node.log.isEmpty)
            #expect(try await stage.service(made.service.id).state == .failed)
        }
    }

    @Test func `a step that never answers is given up at its limit and asked again under the same id`() async throws {
        try await Stage.with { stage in
            // The first timer of each attempt runs out at once while the node holds its answer.
            var dependencies = stage.dependencies
            let node = stage.node
            dependencies.clock.timer = { _ in
                if node.state.withLock({ $0.isHeld }) { return }
                try? await Task.sleep(for: .seconds(3600))
            }
            let service = try await stage.provision()
            let order = try await stage.operations.suspend(service.id, by: Stage.by)
            stage.node.change { $0.isHeld = true }
            let loading = OperationLoading(dependencies: dependencies, rules: .standard) { _, _ in }
            let record = try await stage.outcome(order.operation.id)
            let ready = try await loading.load(record, RunSignals()) { _ in true }.get()
            let work = Task { try await ready() }
            try await stage.until("an attempt was given up") {
                try await stage.store.log(order.operation.id).contains { $0.text.contains("outcome is unknown") }
            }
            stage.node.change { $0.isHeld = false }
            #expect(try await work.value == .finished)
            #expect(stage.node.mostEffects == 1)
        }
    }
}
