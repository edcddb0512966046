import AgentCommands
import ControllerCore
import Synchronization
import WireProtocol

/// Agents, DNS, a proxy and the web, which do what sites ask of them.
final class SagaOutside: Sendable {
    struct State {
        var guests: [Int64: Guest] = [:]
        var records: [String: MarkedObject<DNSRecord>] = [:]
        var routes: [String: MarkedObject<ProxyRoute>] = [:]
        /// When each operation got its last answer.
        var answered: [String: ContinuousClock.Instant] = [:]
        var turns: [Double] = []
        var most = 0
    }

    struct Guest {
        var service: String
        var nonce: String
        var isRunning = false
        var snapshots: [String] = []
    }

    /// What the operator calls it.
    static let name = "outside"
    let state = Mutex(State())
    private let nodes: Set<String>
    private let pause: ClosedRange<Int>?

    init(nodes: Int, pause: ClosedRange<Int>?) {
        self.nodes = Set((0..<nodes).map { "nod_\($0)" })
        self.pause = pause
    }

    func ended(_ operation: String) { state.withLock { $0.answered[operation] = nil } }

    // MARK: agents

    var agents: AgentsPort {
        AgentsPort(
            perform: { command, _ throws(AgentError) in await self.perform(command) },
            connected: { self.nodes })
    }

    private func perform(_ command: AgentCommand) async -> CommandResult {
        let operation = String(command.id.prefix { $0 != "." })
        state.withLock { state in
            let now = ContinuousClock.now
            if let last = state.answered[operation] { state.turns.append((now - last).seconds * 1000) }
            state.answered[operation] = now
            state.most = max(state.most, state.answered.count)
        }
        if let pause { try? await Task.sleep(for: .milliseconds(Int.random(in: pause))) }
        return state.withLock { state in
            let observed = state.act(command)
            state.answered[operation] = .now
            return CommandResult(
                id: command.id, status: observed == nil ? .failed : .succeeded, changed: true,
                observed: observed ?? [:],
                error: observed == nil
                    ? CommandError(
                        code: .notFound, message: "there is none", retryable: false, operation: command.action,
                        resource: command.resource)
                    : nil, finished: 1)
        }
    }

    // MARK: others

    var ports: Ports {
        var ports = Ports()
        let integration = Integration(
            dns: DNSProvider(zone: "example.org", records: keeper(\.records)),
            proxy: ProxyProvider(
                addresses: ["203.0.113.10"], routes: keeper(\.routes), certificates: Self.certificates),
            test: { [] })
        ports.integrations = IntegrationsPort(
            named: { _ throws(PortError) in integration }, offering: { _ throws(PortError) in [Self.name] })
        ports.resolver = ResolverPort { _, type throws(PortError) in type == .a ? ["203.0.113.10"] : [] }
        ports.web = HTTPPort { order throws(PortError) in
            let host = String(order.url.split(separator: "/")[1])
            guard order.url.hasPrefix("https:") else {
                return OutboundReply(status: 301, headers: ["location": "https://\(host)/"])
            }
            return OutboundReply(status: 200, body: JSONValue.object(["home": .string("https://\(host)")]).encoded)
        }
        return ports
    }

    private static let certificates = CertificatePort(
        find: { domains throws(PortError) in KeptCertificate(id: "1", domains: domains, expires: nil) },
        obtain: { domains, _ throws(PortError) in KeptCertificate(id: "1", domains: domains, expires: nil) },
        remove: { _ throws(PortError) in })

    private func keeper<Thing: ManagedObject>(
        _ path: any WritableKeyPath<State, [String: MarkedObject<Thing>]> & Sendable
    ) -> ObjectProvider<Thing> {
        ObjectProvider(
            find: { name, _ throws(PortError) in self.state.withLock { $0[keyPath: path][name] } },
            put: { thing, mark throws(PortError) in
                self.state.withLock { $0[keyPath: path][thing.name] = MarkedObject(thing, mark: mark) }
            },
            remove: { name, _ throws(PortError) in self.state.withLock { $0[keyPath: path][name] = nil } })
    }
}

extension SagaOutside.State {
    /// What the container is afterwards; nil where there is none.
    fileprivate mutating func act(_ command: AgentCommand) -> JSONObject? {
        guard let vmid = command.arguments["vmid"]?.asInteger else { return nil }
        if command.action == "container.create", guests[vmid] == nil {
            guests[vmid] = SagaOutside.Guest(
                service: command.arguments["mark"]?["service"]?.asString ?? "", nonce: command.id)
        }
        guard var guest = guests[vmid] else { return nil }
        switch command.action {
        case "container.start": guest.isRunning = true
        case "snapshot.ensure": guest.snapshots = [command.arguments["snapshot"]?.asString ?? ""]
        default: break
        }
        guests[vmid] = guest
        var seen: JSONObject = [
            "vmid": .integer(vmid), "status": guest.isRunning ? "running" : "stopped", "ha": false,
            "owner": .string(guest.service), "nonce": .string(guest.nonce),
            "snapshots": .array(guest.snapshots.map { .string($0) }),
        ]
        if command.action == "recipe.run" { seen["returned"] = ["wordpress_version": "6.8"] }
        return seen
    }
}
