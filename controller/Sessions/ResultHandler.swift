import Logging
import Model
import Store
import Synchronization
package import WireProtocol

/// Records results before they are acknowledged and before anybody acts on them.
///
/// Results that arrive during one commit share the next.
final class ResultHandler: Sendable {
    private struct Arrival: Sendable {
        var result: CommandResult
        var session: AgentSession
        /// The length of its line.
        var bytes: Int
    }

    private struct State {
        var waiting: [Arrival] = []
        var isRunning = false
    }

    private static let batchLimit = 500

    private let state = Mutex(State())
    private let store: Store
    private let fleet: Fleet
    private let logger: Logger

    init(store: Store, fleet: Fleet, logger: Logger) {
        self.store = store
        self.fleet = fleet
        self.logger = logger
    }

    /// - Parameter bytes: the length of its line.
    func take(_ result: CommandResult, bytes: Int, from session: AgentSession) {
        let start = state.withLock { state in
            state.waiting.append(Arrival(result: result, session: session, bytes: bytes))
            defer { state.isRunning = true }
            return !state.isRunning
        }
        session.owe(bytes)
        if start { Task { await drain() } }
    }

    private func next() -> [Arrival] {
        state.withLock { state in
            // One transaction holds no more: a backlog of receipts must not stop everybody else.
            let batch = Array(state.waiting.prefix(Self.batchLimit))
            state.waiting.removeFirst(batch.count)
            if batch.isEmpty { state.isRunning = false }
            return batch
        }
    }

    private func drain() async {
        while true {
            let batch = next()
            if batch.isEmpty { return }
            defer { for arrival in batch { arrival.session.settle(arrival.bytes) } }
            do {
                try await record(batch)
            } catch {
                // Not acknowledged: the agents keep their receipts and say it again with their next session.
                logger.error(
                    "results could not be recorded", metadata: ["error": "\(error)", "count": "\(batch.count)"])
                for node in Set(batch.map(\.session.node)) {
                    fleet.disconnect(node, code: .overload, message: "the controller's store cannot take results now")
                }
            }
        }
    }

    private func record(_ batch: [Arrival]) async throws(StoreError) {
        let now = Timestamp.now()
        // Not synced by itself: the journal entry that follows is, and until then the agent, which keeps acknowledged
        // receipts, gives the same result to the same id.
        let known = try await store.atomicallyUnsynced { (store: isolated Store) throws(StoreError) in
            var known: [CommandResult] = []
            for arrival in batch {
                let result = arrival.result
                // Unknown: from before a restored backup. Another node's: no node may speak for another.
                guard try store.command(result.id)?.node == arrival.session.node else { continue }
                // "Not now" is no end: nothing was done, and the same command may come again and be done.
                if !result.isPostponed {
                    try store.recordResult(
                        result.id, CommandRecord.State(result.status), result: result.stored, at: now)
                }
                known.append(result)
            }
            return known
        }
        for result in known { fleet.resolve(result) }
        if known.count < batch.count {
            logger.warning(
                "results of unknown commands were put aside", metadata: ["count": "\(batch.count - known.count)"])
        }
        for (_, arrivals) in Dictionary(grouping: batch, by: { ObjectIdentifier($0.session) }) {
            arrivals[0].session.send(.ack(Acknowledgement(results: arrivals.map(\.result.id))))
        }
    }
}

extension CommandRecord.State {
    init(_ status: CommandStatus) {
        self =
            switch status {
            case .succeeded: .succeeded
            case .cancelled: .cancelled
            case .interrupted: .interrupted
            case .refused: .refused
            default: .failed
            }
    }
}

extension CommandResult {
    /// The agent has not taken the command, for a reason that passes.
    fileprivate var isPostponed: Bool { status == .refused && error?.retryable == true }

    /// As the store keeps it: the message itself.
    var stored: JSONValue {
        var bytes: [UInt8] = []
        AgentMessage.result(self).encode(into: &bytes)
        return (try? JSONParser.parse(bytes)) ?? .null
    }

    /// Reads back what `stored` made.
    package init?(stored: JSONValue) {
        guard case .object(let object) = stored, let result = try? CommandResult(reading: object) else { return nil }
        self = result
    }
}
