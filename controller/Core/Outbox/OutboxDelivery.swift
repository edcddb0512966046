import Logging
import Model
import ServiceLifecycle
import Store
import Synchronization
import WireProtocol

/// Hands over what the outbox holds, at least once, and to one destination in order for each subject.
///
/// A destination has one worker: one that is slow holds up nobody but itself. A message stays until it is noted that it was taken; a
/// process that dies in between sends it again under the same id.
package struct OutboxDelivery: Service {
    /// At once, to different destinations.
    static let workers = 64
    /// Of one worker before others have their turn.
    static let batch = 100
    /// How long one worker goes on before others have their turn.
    static let turn = Duration.seconds(15)
    /// Of the webhooks of one customer, and of all customers': slow receivers of theirs must not hold up the operator's.
    static let workersOfCustomer = 2
    static let workersOfCustomers = 48
    /// Of an answer, which nobody reads.
    static let answerLimit = 64 << 10

    let dependencies: Dependencies
    let interval: Duration
    /// Of one attempt.
    let timeout: Duration
    let desk = Desk()

    package init(
        dependencies: Dependencies, interval: Duration = .seconds(1), timeout: Duration = .seconds(15)
    ) {
        (self.dependencies, self.interval, self.timeout) = (dependencies, interval, timeout)
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for destination in await due() { group.addTask { await drain(destination) } }
                    try? await Task.sleep(for: interval)
                }
                group.cancelAll()
            }
        }
    }

    /// One round to its end.
    func round() async {
        let destinations = await due()
        await withDiscardingTaskGroup { group in
            for destination in destinations { group.addTask { await drain(destination) } }
        }
    }

    /// Those that have a worker from now on.
    private func due() async -> [String] {
        let now = dependencies.clock.now()
        do throws(StoreError) {
            let found = try await dependencies.store.dueDestinations(at: now, limit: 10_000)
            return found.filter { desk.takes($0.destination, of: $0.owner, at: now) }.map { $0.destination }
        } catch {
            dependencies.logger.error("the outbox cannot be read", metadata: ["error": "\(error)"])
            return []
        }
    }

    private func drain(_ destination: String) async {
        defer { desk.leaves(destination) }
        do throws(StoreError) {
            let begun = ContinuousClock.now
            for _ in 0..<Self.batch where ContinuousClock.now - begun < Self.turn {
                let now = dependencies.clock.now()
                guard !Task.isCancelled,
                    let message = try await dependencies.store.nextMessage(to: destination, at: now)
                else { return }
                guard try await deliver(message) else { return }
            }
        } catch {
            dependencies.logger.error(
                "the outbox cannot be written", metadata: ["destination": "\(destination)", "error": "\(error)"])
        }
    }

    /// False when nothing more should go there now.
    private func deliver(_ message: OutboxRecord) async throws(StoreError) -> Bool {
        let (store, time) = (dependencies.store, dependencies.clock.now())
        if message.isForTable { return try await write(message) }
        guard let webhook = try await store.webhook(String(message.destination.dropFirst("webhook/".count))),
            webhook.disabledAt == nil
        else {
            try await store.giveUp(
                messagesTo: message.destination, because: "the webhook is switched off", at: time)
            return false
        }
        let attempt = await send(message, to: webhook)
        // What was broken off by our own end is no failure of the receiver's.
        if Task.isCancelled, case .failed = attempt { return false }
        return try await note(attempt, message, webhook)
    }

    private func send(_ message: OutboxRecord, to webhook: WebhookRecord) async -> Attempt {
        let time = dependencies.clock.now()
        let (seconds, body) = (time.milliseconds / 1000, JSONValue.object(message.body).encoded)
        let signatures = (WebhookSecrets(webhook.secrets)?.valid(at: time) ?? []).compactMap {
            $0.signature(id: message.id, seconds: seconds, body: body)
        }
        do throws(CoreError) {
            let target = try WebhookTarget(webhook.url, allowsPrivate: webhook.allowsPrivate)
            guard !signatures.isEmpty else {
                return .failed(problem: "the webhook has no secret to sign with", isReceivers: true)
            }
            let request = OutboundRequest(
                "POST", target.url,
                headers: [
                    "Content-Type": "application/cloudevents+json; charset=utf-8",
                    "User-Agent": "innkeeper/\(Version.current)", "webhook-id": message.id,
                    "webhook-timestamp": "\(seconds)", "webhook-signature": signatures.joined(separator: " "),
                ], body: body, timeout: timeout, authorities: webhook.authority, reach: target.reach,
                answerLimit: Self.answerLimit)
            do throws(PortError) { return Attempt(try await dependencies.ports.http.send(request)) } catch {
                return Attempt(error)
            }
        } catch {
            return .failed(problem: "\(error)", isReceivers: true)
        }
    }

    private func note(
        _ attempt: Attempt, _ message: OutboxRecord, _ webhook: WebhookRecord
    ) async throws(StoreError) -> Bool {
        let (store, now) = (dependencies.store, dependencies.clock.now())
        switch attempt {
        case .delivered(let status):
            desk.worked(message.destination)
            try await store.note(attemptAt: message.id) {
                ($0.state, $0.finishedAt, $0.status, $0.problem) = (.delivered, now, status, nil)
            }
            return true
        case .unwanted:
            try await store.atomically { store throws(StoreError) in
                try store.note(attemptAt: message.id) {
                    ($0.state, $0.finishedAt, $0.status, $0.problem) = (.dead, now, 410, "it answered with 410")
                }
                try store.disable(webhook, because: "its receiver answered that it is gone (410)", at: now)
            }
            return false
        case .failed(let problem, let status, let isReceivers, let after):
            let chance = Double(dependencies.ports.random.bytes(1).first ?? 0) / 255
            let wait = DeliverySchedule.wait(after: message.attempts + 1, chance: chance)
            try await store.atomically { store throws(StoreError) in
                let noted = try store.note(attemptAt: message.id) {
                    ($0.status, $0.problem) = (status, problem)
                    guard let wait else { return ($0.state, $0.finishedAt) = (.dead, now) }
                    $0.dueAt = now + max(wait, after ?? .zero)
                }
                if let noted, noted.state == .dead { try store.raise(.dead(webhook, noted), at: now) }
            }
            guard isReceivers else { return true }
            desk.rests(message.destination, from: now, atLeast: after)
            return false
        }
    }
}

/// Who has a worker, and who is left alone for a while. It is forgotten when the process ends: then each is tried once more.
final class Desk: Sendable {
    private struct State {
        /// And whose they are.
        var busy: [String: String?] = [:]
        var resting: [String: (until: Timestamp, failures: Int)] = [:]
    }

    private let state = Mutex(State())

    func takes(_ destination: String, of owner: String?, at time: Timestamp) -> Bool {
        state.withLock { state in
            guard state.busy.count < OutboxDelivery.workers, state.busy[destination] == nil else { return false }
            if let owner {
                let customers = state.busy.values.compactMap(\.self)
                guard customers.count < OutboxDelivery.workersOfCustomers,
                    customers.count(where: { $0 == owner }) < OutboxDelivery.workersOfCustomer
                else { return false }
            }
            if let rest = state.resting[destination], time < rest.until { return false }
            state.busy.updateValue(owner, forKey: destination)
            return true
        }
    }

    func leaves(_ destination: String) { state.withLock { _ = $0.busy.removeValue(forKey: destination) } }

    func worked(_ destination: String) { state.withLock { $0.resting[destination] = nil } }

    func rests(_ destination: String, from time: Timestamp, atLeast wait: Duration?) {
        state.withLock { state in
            let failures = (state.resting[destination]?.failures ?? 0) + 1
            let until = time + max(DeliverySchedule.rest(after: failures), wait ?? .zero)
            state.resting[destination] = (until, failures)
        }
    }
}
