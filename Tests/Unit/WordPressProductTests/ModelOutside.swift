import ControllerCore
import Synchronization
import WireProtocol

/// How somebody outside misbehaves for one call.
enum OutsideFault: String, Sendable, CaseIterable {
    /// They say no, for good.
    case refuses
    case busy
    /// The call does not arrive.
    case unreachable
    /// They do what they were asked, and the answer is lost.
    case answerLost
    /// The call arrives twice.
    case twice
}

/// DNS, a proxy, a panel, resolvers and the web, as far as a site has to do with them.
final class ModelOutside: Sendable {
    struct State: Sendable {
        var records: [String: Kept<DNSRecord>] = [:]
        var routes: [String: Kept<ProxyRoute>] = [:]
        var zones: [String: Kept<DNSZone>] = [:]
        /// By their domains.
        var certificates: Set<[String]> = []
        /// What the world is told of names that are not ours.
        var told: [String: [String]] = [:]
        /// Hosts that the proxy leads to another address than it says.
        var misled: [String: String] = [:]
        var faults: [Int: OutsideFault] = [:]
        var calls = 0
    }

    struct Kept<Thing: Sendable & Hashable>: Sendable, Hashable {
        var thing: Thing
        var mark: String?
    }

    let state = Mutex(State())
    let cluster: ModelCluster

    init(_ cluster: ModelCluster) { self.cluster = cluster }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    var calls: Int { state.withLock { $0.calls } }

    var ports: Ports {
        var ports = Ports()
        let integration = Integration(
            dns: DNSProvider(zone: "example.org", records: keeper(\.records)), zones: keeper(\.zones),
            proxy: ProxyProvider(addresses: ["203.0.113.10"], routes: keeper(\.routes), certificates: certificates),
            test: { [] })
        ports.integrations = IntegrationsPort(
            named: { name throws(PortError) in
                guard name == Self.name else { throw .notSetUp("integration \(name)") }
                return integration
            }, offering: { _ throws(PortError) in [Self.name] })
        ports.resolver = ResolverPort { name, type throws(PortError) in
            try self.call { state in
                let told = state.told["\(type.rawValue) \(name)"] ?? []
                return told + (state.records["\(type.rawValue) \(name)"].map { [$0.thing.value] } ?? [])
            }
        }
        ports.web = HTTPPort { order throws(PortError) in try self.call { state in state.answer(order, self.cluster) }
        }
        return ports
    }

    /// What the operator calls it.
    static let name = "outside"

    private var certificates: CertificatePort {
        CertificatePort(
            find: { domains throws(PortError) in
                try self.call { state in
                    state.certificates.contains(domains.sorted())
                        ? KeptCertificate(id: "1", domains: domains, expires: nil) : nil
                }
            },
            obtain: { domains, _ throws(PortError) in
                try self.call { state in
                    _ = state.certificates.insert(domains.sorted())
                }
                return KeptCertificate(id: "1", domains: domains, expires: nil)
            },
            remove: { domains throws(PortError) in
                try self.call { state in
                    _ = state.certificates.remove(domains.sorted())
                }
            })
    }

    private func keeper<Thing: ManagedObject>(
        _ path: any WritableKeyPath<State, [String: Kept<Thing>]> & Sendable
    ) -> ObjectProvider<Thing> {
        ObjectProvider(
            find: { name, _ throws(PortError) in
                try self.call { $0[keyPath: path][name].map { MarkedObject($0.thing, mark: $0.mark) } }
            },
            put: { thing, mark throws(PortError) in
                try self.call { $0[keyPath: path][thing.name] = Kept(thing: thing, mark: mark) }
            },
            remove: { name, _ throws(PortError) in try self.call { $0[keyPath: path][name] = nil } })
    }

    private func call<Value>(_ body: (inout State) -> Value) throws(PortError) -> Value {
        let result: Result<Value, PortError> = state.withLock { state in
            state.calls += 1
            switch state.faults.removeValue(forKey: state.calls) {
            case .refuses: return .failure(PortError(.refused, "they refuse"))
            case .busy: return .failure(PortError(.busy, "they are busy"))
            case .unreachable: return .failure(PortError(.silent, "they do not answer"))
            case .answerLost:
                _ = body(&state)
                return .failure(PortError(.silent, "they do not answer"))
            case .twice:
                _ = body(&state)
                return .success(body(&state))
            case nil: return .success(body(&state))
            }
        }
        return try result.get()
    }
}

extension ModelOutside.State {
    /// The web as a visitor sees it: a name leads to the proxy, which asks the container that it knows for it.
    fileprivate func answer(_ order: OutboundRequest, _ cluster: ModelCluster) -> OutboundReply {
        let parts = order.url.split(separator: "/", maxSplits: 2)
        let host = String(parts.count > 1 ? parts[1] : "")
        let route = routes.values.map(\.thing).first { $0.domains.contains(host) }
        guard records["A \(host)"] != nil || told["A \(host)"] != nil, let route, certificates.contains(route.domains)
        else {
            return OutboundReply(status: 404)
        }
        guard order.url.hasPrefix("https:") else {
            return OutboundReply(status: 301, headers: ["Location": "https://\(host)/"])
        }
        let address = misled[host] ?? route.target.host
        let guest = cluster.belongings.guests.values.first { $0.address == address && $0.isRunning }
        guard let guest else { return OutboundReply(status: 502) }
        guard let home = guest.home else { return OutboundReply(status: 302) }
        return OutboundReply(status: 200, body: JSONValue.object(["home": .string(home)]).encoded)
    }
}
