import Logging
package import Placement
import Saga
import ServiceLifecycle
import Store
import WireProtocol

/// Runs operations: takes up what is unfinished at its start, then whatever is queued, until it is told to end.
///
/// Ending is orderly at any moment: runs stop between two journal entries, and the next start goes on from there.
package actor Executor: Service {
    let dependencies: Dependencies
    let rules: PlacementRules
    private let limits: ExecutorLimits
    private let wakeups: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let lines = OperationLog()
    private var active: [String: RunSignals] = [:]
    /// Operations by node that hold one of its places.
    private var places: [String: Set<String>] = [:]
    /// Operations that run and have no node yet: they may be waiting for one to come back.
    private var unplaced: Set<String> = []
    private var resting: [String: ContinuousClock.Instant] = [:]

    package init(dependencies: Dependencies, limits: ExecutorLimits = .standard, rules: PlacementRules = .standard) {
        self.dependencies = dependencies
        self.rules = rules
        self.limits = limits
        (wakeups, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// There may be something to do. Safe to call at any time and from anywhere.
    package nonisolated func wake() { waker.yield() }

    package func run() async throws {
        // Before anything runs: a change that comes between an operation's look and its wait must not be missed.
        let changes = dependencies.store.changes()
        wake()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.follow(changes) }
                group.addTask { await self.tick() }
                group.addTask { await self.lines.write(to: self.dependencies.store, self.dependencies.logger) }
                for await _ in self.wakeups {
                    for operation in await self.due() {
                        group.addTask { await self.execute(operation) }
                    }
                }
                group.cancelAll()
            }
        }
    }

    // MARK: choosing

    private func due() async -> [OperationRecord] {
        let (unfinished, waiting): ([OperationRecord], Set<String>)
        do {
            let catalogue = dependencies.catalogue
            (unfinished, waiting) = try await dependencies.store.atomically { store throws(StoreError) in
                let queue = try store.unfinishedOperations()
                return (queue, try store.waitingForCopies(queue, catalogue))
            }
        } catch {
            dependencies.logger.error("the queue of operations cannot be read", metadata: ["error": "\(error)"])
            return []
        }
        for operation in unfinished where operation.cancelRequested { active[operation.id]?.send(.cancel) }
        resting = resting.filter { $0.value > .now }
        let chosen = Dispatch(limits: limits, catalogue: dependencies.catalogue).choose(
            unfinished, active: Set(active.keys), resting: Set(resting.keys).union(waiting)
        ).filter(hasPlace)
        for operation in chosen {
            active[operation.id] = RunSignals()
            guard dependencies.catalogue.sharesPlaces(operation) else { continue }
            if let node = operation.node {
                places[node, default: []].insert(operation.id)
            } else {
                unplaced.insert(operation.id)
            }
        }
        return chosen
    }

    /// The books say who is on a node; who holds its places may have changed since they were read.
    private func hasPlace(_ operation: OperationRecord) -> Bool {
        guard operation.state == .queued, dependencies.catalogue.sharesPlaces(operation), let node = operation.node
        else {
            return true
        }
        return places[node, default: []].count < limits.perNode
    }

    /// A place for an operation that has just been placed on a node; one that holds a place keeps it.
    private func admit(_ operation: String, to node: String) -> Bool {
        let holders = places[node, default: []]
        guard holders.contains(operation) || holders.count < limits.perNode else { return false }
        places[node, default: []].insert(operation)
        unplaced.remove(operation)
        return true
    }

    private func leave(_ operation: String) {
        active[operation] = nil
        unplaced.remove(operation)
        for node in places.keys where places[node]?.remove(operation) != nil {
            if places[node]?.isEmpty == true { places[node] = nil }
        }
        for signals in active.values { signals.send(.wake) }
        wake()
    }

    // MARK: running

    private func execute(_ operation: OperationRecord) async {
        guard let signals = active[operation.id] else { return }
        var logger = dependencies.logger
        logger[metadataKey: "operation"] = "\(operation.id)"
        do {
            try await run(operation.id, signals, logger)
        } catch {
            // The store failed or another executor took over. Nothing is lost; it is taken up again in a while.
            logger.error("the operation cannot go on for now", metadata: ["error": "\(error)"])
            resting[operation.id] = .now + .seconds(5)
        }
        leave(operation.id)
    }

    private func run(_ id: String, _ signals: RunSignals, _ logger: Logger) async throws {
        let (dependencies, rules, lines) = (dependencies, rules, lines)
        guard let operation = try await dependencies.store.operation(id), !operation.state.isFinished else { return }
        let loading = OperationLoading(dependencies: dependencies, rules: rules) { step, text in
            lines.add(id, OperationLogLine(time: dependencies.clock.now(), level: "info", step: step, text: text))
        }
        let admit: @Sendable (String) async -> Bool = { [weak self] node in await self?.admit(id, to: node) ?? false }
        switch try await loading.load(operation, signals, admit) {
        case .failure(let problem):
            logger.error("the operation cannot be run", metadata: ["error": "\(problem)"])
            let now = dependencies.clock.now()
            try await dependencies.store.atomically { store throws(StoreError) in
                try store.abandon(operation, because: problem.sentence, dependencies.catalogue, at: now)
            }
        case .success(let work):
            let ending = try await work()
            logger.info("the operation \(ending == .finished ? "has ended" : "was laid down")")
        }
    }

    // MARK: waking

    private func follow(_ changes: AsyncStream<Change>) async {
        for await change in changes {
            switch change.kind {
            case .operation where active[change.id] == nil: wake()
            case .missed:
                wake()
                for signals in active.values { signals.send(.wake) }
            case .node:
                for operation in unplaced.union(places[change.id] ?? []) { active[operation]?.send(.wake) }
            default: continue
            }
        }
    }

    /// For what no change announces: cancellations recorded elsewhere, rests that are over.
    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(2))
            wake()
        }
    }
}
