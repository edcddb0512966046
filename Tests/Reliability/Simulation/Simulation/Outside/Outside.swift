import ControllerCore
import WireProtocol

/// DNS, a proxy, resolvers and the web: they outlive every process, take time, refuse, do not answer, or do what they were asked and are
/// not heard.
final class Outside: @unchecked Sendable {
    // Unchecked: one thread.
    struct Kept<Thing: Sendable & Hashable>: Sendable, Hashable {
        var thing: Thing
        var mark: String?
    }

    struct State {
        var records: [String: Kept<DNSRecord>] = [:]
        var routes: [String: Kept<ProxyRoute>] = [:]
        var certificates: Set<[String]> = []
    }

    /// A share of all calls that goes wrong.
    var failing = 0.0
    private(set) var state = State()
    private unowned let trial: Trial
    private let scheduler = Scheduler.shared
    private var chance: Chance

    /// What the operator calls it.
    static let name = "outside"
    static let address = "203.0.113.10"

    init(in trial: Trial) {
        self.trial = trial
        chance = Chance(seed: trial.seed, for: "outside")
    }

    var ports: Ports {
        var ports = Ports()
        let integration = Integration(
            dns: DNSProvider(
                zone: "example.org", records: keeper({ $0.records[$1] }, { $0.records[$1] = $2 })),
            proxy: ProxyProvider(
                addresses: [Self.address], routes: keeper({ $0.routes[$1] }, { $0.routes[$1] = $2 }),
                certificates: certificates),
            test: { [] })
        ports.integrations = IntegrationsPort(
            named: { name throws(PortError) in
                guard name == Self.name else { throw PortError(.notSetUp, "there is no integration \(name)") }
                return integration
            }, offering: { _ throws(PortError) in [Self.name] })
        ports.resolver = ResolverPort { name, type throws(PortError) in
            try await self.call { state in
                state.records["\(type.rawValue) \(name)"].map { [$0.thing.value] } ?? []
            }
        }
        ports.web = HTTPPort { order throws(PortError) in try await self.call { _ in self.answer(order) } }
        return ports
    }

    private var certificates: CertificatePort {
        CertificatePort(
            find: { domains throws(PortError) in
                try await self.call { state in
                    state.certificates.contains(domains.sorted())
                        ? KeptCertificate(id: "1", domains: domains, expires: nil) : nil
                }
            },
            obtain: { domains, _ throws(PortError) in
                try await self.call { state in
                    _ = state.certificates.insert(domains.sorted())
                    return KeptCertificate(id: "1", domains: domains, expires: nil)
                }
            },
            remove: { domains throws(PortError) in
                try await self.call { state in _ = state.certificates.remove(domains.sorted()) }
            })
    }

    private func keeper<Thing: ManagedObject>(
        _ find: @escaping @Sendable (State, String) -> Kept<Thing>?,
        _ put: @escaping @Sendable (inout State, String, Kept<Thing>?) -> Void
    ) -> ObjectProvider<Thing> {
        ObjectProvider(
            find: { name, _ throws(PortError) in
                try await self.call { state in find(state, name).map { MarkedObject($0.thing, mark: $0.mark) } }
            },
            put: { thing, mark throws(PortError) in
                try await self.call { state in put(&state, thing.name, Kept(thing: thing, mark: mark)) }
            },
            remove: { name, _ throws(PortError) in try await self.call { state in put(&state, name, nil) } })
    }

    /// One request: it arrives after a while, or not; its answer comes after another, or not.
    private func call<Value: Sendable>(
        _ body: @escaping @Sendable (inout State) -> Value
    ) async throws(PortError) -> Value {
        let answer = await withUnsafeContinuation {
            (waiter: UnsafeContinuation<Result<Value, PortError>, Never>) in
            let (asker, fate) = (scheduler.current, chance.happens(failing) ? chance.below(4) : 4)
            scheduler.after(chance.around(.milliseconds(40))) { [self] in
                let answer: Result<Value, PortError>
                switch fate {
                case 0: answer = .failure(PortError(.busy, "they are busy"))
                case 1: answer = .failure(PortError(.silent, "they do not answer"))
                case 2:
                    _ = take(body)
                    answer = .failure(PortError(.silent, "they do not answer"))
                case 3:
                    _ = take(body)
                    answer = .success(take(body))
                default: answer = .success(take(body))
                }
                scheduler.trace.mix(UInt64(fate))
                scheduler.after(chance.around(.milliseconds(40))) { [self] in
                    guard !asker.isDead else { return }
                    scheduler.within(asker) { waiter.resume(returning: answer) }
                }
            }
        }
        return try answer.get()
    }

    /// What looks at the web looks at the state as well.
    private func take<Value>(_ body: (inout State) -> Value) -> Value {
        var next = state
        defer { state = next }
        return body(&next)
    }

    /// The web as a visitor sees it: a name leads to the proxy, which asks the container that it knows for it.
    private func answer(_ order: OutboundRequest) -> OutboundReply {
        let parts = order.url.split(separator: "/", maxSplits: 2)
        let host = String(parts.count > 1 ? parts[1] : "")
        let route = state.routes.values.map(\.thing).first { $0.domains.contains(host) }
        guard state.records["A \(host)"] != nil, let route, state.certificates.contains(route.domains) else {
            return OutboundReply(status: 404)
        }
        guard order.url.hasPrefix("https:") else {
            return OutboundReply(status: 301, headers: ["Location": "https://\(host)/"])
        }
        let guests = trial.nodes.flatMap { $0.engines.model.guests.guests.values }
        let guest = guests.first { $0.address == route.target.host && $0.isRunning }
        guard let guest else { return OutboundReply(status: 502) }
        guard let home = guest.home else { return OutboundReply(status: 302) }
        return OutboundReply(status: 200, body: JSONValue.object(["home": .string(home)]).encoded)
    }
}
