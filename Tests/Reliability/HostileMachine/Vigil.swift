import Glibc
import Model
import Store
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// What must go on while one thing on a machine is stuck: orders on other resources, signs of life, samples, and a
/// memory that does not grow.
struct Vigil {
    let node: Node
    /// An order that has nothing to do with what is stuck.
    var errand: @Sendable (Node) async throws -> CommandResult
    /// The series whose samples must keep coming; nil where they cannot.
    var series: String? = "host.memory.used"
    /// The longest time between two samples, and for an errand. Generous: the machine may be busy.
    static let patience = Duration.seconds(5)
    static let memory = 160 << 20

    private final class Log: Sendable {
        let slowest = Mutex(Duration.zero)
        let errands = Mutex(0)
        let memory = Mutex(0)
        let troubles = Mutex<[String]>([])
    }

    /// Does the hostile thing and keeps watch meanwhile.
    func during<Value: Sendable>(
        _ work: @Sendable @escaping () async throws -> Value, at place: SourceLocation = #_sourceLocation
    ) async throws -> Value {
        let log = Log()
        let begun = Timestamp.now()
        let watch = Task { await run(log) }
        let result: Result<Value, any Error>
        do { result = .success(try await work()) } catch { result = .failure(error) }
        watch.cancel()
        await watch.value
        let ended = Timestamp.now()
        #expect(log.troubles.withLock { $0 } == [], sourceLocation: place)
        #expect(log.errands.withLock { $0 } > 0, "no errand was done", sourceLocation: place)
        #expect(log.slowest.withLock { $0 } < Self.patience, "an errand was slow", sourceLocation: place)
        #expect(log.memory.withLock { $0 } < Self.memory, "the agent's memory grew", sourceLocation: place)
        if let series { try await expectSamples(of: series, begun, ended, place) }
        return try result.get()
    }

    private func run(_ log: Log) async {
        while !Task.isCancelled {
            let start = ContinuousClock.now
            let (node, errand) = (node, errand)
            // It is not cut when the watch ends.
            let outcome = await Task { try await errand(node) }.result
            log.slowest.withLock { $0 = max($0, .now - start) }
            switch outcome {
            case .success(let result) where result.status == .succeeded: log.errands.withLock { $0 += 1 }
            case .success(let result): log.troubles.withLock { $0.append("\(result)") }
            case .failure(let error): log.troubles.withLock { $0.append("\(error)") }
            }
            if (try? await node.centre.store.node(node.id))??.state != .connected {
                log.troubles.withLock { $0.append("the node was called unreachable") }
            }
            log.memory.withLock { $0 = max($0, Census.anonymousMemory(of: node.pid)) }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Samples came all the time, by the agent's own clock.
    private func expectSamples(
        of series: String, _ begun: Timestamp, _ ended: Timestamp, _ place: SourceLocation
    ) async throws {
        let (store, id) = (node.centre.store, node.id)
        #expect(
            await eventually { (try? await store.latestSamples(node: id))??.time ?? begun >= ended },
            "no sample came afterwards", sourceLocation: place)
        let query = MetricQuery(
            node: id, names: [series], from: begun, to: Timestamp.now(), step: .milliseconds(250))
        let times = try await store.metrics(query).flatMap { $0.points.map(\.time) }.sorted()
        let all = [begun] + times + [ended]
        let gap = zip(all, all.dropFirst()).map { $1 - $0 }.max() ?? .seconds(1000)
        #expect(gap < Self.patience, "\(series) was not sampled for \(gap)", sourceLocation: place)
    }
}
