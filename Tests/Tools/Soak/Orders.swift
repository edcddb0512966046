import APIModels
import SimulatedFleet
import Synchronization
import TestSupport

/// Orders as a billing system gives them: services are made, stopped, started, changed and ended.
final class Orders: Sendable {
    private struct State {
        var numbers: SeededGenerator
        var next = 1
        var services: Set<String> = []
        var open: [String: ContinuousClock.Instant] = [:]
        /// Operations that were reported as stuck.
        var stuck: Set<String> = []
        var abandonedNodes: Set<String> = []
    }

    private let site: Site
    private let findings: Findings
    private let target: Int
    private let patience: Duration
    private let state: Mutex<State>

    /// - Parameter target: how many services there are most of the time.
    init(site: Site, findings: Findings, target: Int, patience: Duration, seed: UInt64) {
        (self.site, self.findings, self.target, self.patience) = (site, findings, target, patience)
        state = Mutex(State(numbers: SeededGenerator(seed: seed)))
    }

    var open: Int { state.withLock { $0.open.count } }

    /// A node goes: operations on it may end in any way from now on.
    func abandoned(node: String) { state.withLock { _ = $0.abandonedNodes.insert(node) } }
    func forget(_ service: String) { state.withLock { _ = $0.services.remove(service) } }

    func makePlan() async throws {
        let spec = """
            {"image":"soak/web:1","memory_bytes":67108864,"cpu_millis":100,"disk_bytes":67108864,"env":{"MODE":"soak"}}
            """
        _ = try await site.front.model("PUT", "/api/v1/plans/soak", spec, as: Plan.self)
    }

    /// One order, and a look at those that are open.
    func step() async {
        let (service, number, choice) = state.withLock { state in
            let choice = Int.random(in: 0..<100, using: &state.numbers)
            let isFull = state.services.count >= target
            let service = isFull || choice < 40 ? state.services.sorted().randomElement(using: &state.numbers) : nil
            if service == nil { state.next += 1 }
            return (service, state.next, choice)
        }
        do {
            if let service { try await change(service, choice) } else { try await create(number) }
        } catch let refusal as Refusal {
            // 409: another operation is at work on it. 5xx while the controller starts is its right.
            findings.count("orders answered \(refusal.status)")
        } catch { findings.count("orders that did not reach the controller") }
    }

    private func create(_ number: Int) async throws {
        let order = #"{"customer":"soak","plan":"soak","external_id":"soak-\#(number)"}"#
        let accepted = try await site.front.model("POST", "/api/v1/services", order, as: AcceptedOperation.self)
        guard let service = accepted.service else { return }
        findings.count("services ordered")
        state.withLock { state in
            state.services.insert(service.id)
            state.open[accepted.operation.id] = .now
        }
    }

    private func change(_ service: String, _ choice: Int) async throws {
        let (verb, body): (String, String?) =
            switch choice % 10 {
            case 0..<2: ("suspend", nil)
            case 2..<5: ("resume", nil)
            case 5..<8: ("upgrade", #"{"overrides":{"memory_bytes":\#((64 + choice) << 20)}}"#)
            default: ("terminate", nil)
            }
        let path = "/api/v1/services/\(service)/\(verb)"
        let accepted = try await site.front.model("POST", path, body, as: AcceptedOperation.self)
        findings.count("services changed")
        state.withLock { state in
            state.open[accepted.operation.id] = .now
            if verb == "terminate" { state.services.remove(service) }
        }
    }

    /// Looks at every open operation once.
    func look() async {
        for (id, since) in state.withLock({ $0.open }) {
            guard let operation = try? await site.front.model("GET", "/api/v1/operations/\(id)", as: Operation.self)
            else { continue }
            if operation.isFinished { settle(operation) } else { judge(operation, since) }
        }
    }

    private func settle(_ operation: Operation) {
        findings.count("operations \(operation.state)")
        let isExcused = state.withLock { state in
            state.open[operation.id] = nil
            if operation.kind == "provision", operation.state != "succeeded", let service = operation.service {
                state.services.remove(service)
            }
            return operation.node.map { state.abandonedNodes.contains($0) } ?? false
        }
        if operation.state != "succeeded", !isExcused {
            findings.count("failed: \(operation.kind): \(operation.error?.code ?? "no error")")
        }
        if ["needs_attention", "resolved"].contains(operation.state), !isExcused {
            findings.breach("operation \(operation.id) needs attention: \(operation.error?.message ?? "")")
        }
    }

    private func judge(_ operation: Operation, _ since: ContinuousClock.Instant) {
        guard .now - since > patience, state.withLock({ $0.stuck.insert(operation.id).inserted }) else { return }
        findings.breach(
            "operation \(operation.id) (\(operation.kind)) is \(operation.state) for longer than \(patience)")
    }
}
