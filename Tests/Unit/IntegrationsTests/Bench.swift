import AgentCommands
import ControllerCore
import HTTPFetch
import IntegrationKit
import Logging
import Model
import Placement
import Saga
import StandIns
import Store
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// A clock whose pauses take no time and are noted.
final class QuickClock: Sendable {
    private let state = Mutex<(ahead: Duration, pauses: [Duration])>((.zero, []))
    private static let start = ContinuousClock.now

    /// The waits before further attempts.
    var pauses: [Duration] { state.withLock { $0.pauses } }

    func advance(_ time: Duration) { state.withLock { $0.ahead += time } }

    var port: ClockPort {
        ClockPort(
            now: Timestamp.now,
            pause: { time in
                self.state.withLock { state in
                    state.ahead += time
                    state.pauses.append(time)
                }
            }, timer: { try? await Task.sleep(for: $0) },
            uptime: { self.state.withLock { $0.ahead } + (ContinuousClock.now - Self.start) })
    }
}

extension IntegrationKind {
    /// With settings that an operator would give.
    func connected(_ settings: JSONObject, clock: QuickClock = QuickClock()) throws -> Integration {
        connect(try read(settings, "settings"), Outside(http: .fetch(), clock: clock.port, name: name))
    }
}

/// The error that a call to the outside ends with.
func portError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws(PortError) -> Void
) async -> PortError? {
    do throws(PortError) {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        return nil
    } catch { return error }
}

/// A service's work with the outside, as a step of a saga does it.
struct Work: ServiceWork {
    let scope: ServiceScope
    let folder: ScratchFolder

    init(_ service: String) throws {
        folder = try ScratchFolder("work")
        let store = try Store(path: folder.file("store.db"))
        let agents = AgentsPort(
            perform: { _, _ throws(AgentError) in throw AgentError(retryable: true, code: "unreachable", message: "") },
            connected: { [] })
        let time = Timestamp.now()
        scope = ServiceScope(
            dependencies: Dependencies(
                store: store, agents: agents, catalogue: Catalogue(products: [], types: []),
                logger: Logger(label: "test")),
            rules: .standard, operation: OperationRecord(id: "op_1", kind: "provision", createdAt: time),
            verb: .provision,
            service: ServiceRecord(id: service, customer: "c", plan: "p", createdAt: time, updatedAt: time),
            note: { _, _ in })
    }
}

/// How an answer goes wrong after everything was done.
enum LostAnswer: String, CaseIterable, CustomTestStringConvertible {
    /// The link drops instead.
    case lost
    /// It drops in the middle.
    case cut
    /// It says that it failed.
    case failed_after
    /// The request arrives twice.
    case twice

    var testDescription: String { rawValue.replacing("_", with: " ") }
}
