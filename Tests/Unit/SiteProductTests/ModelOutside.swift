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

/// Resolvers and whoever counts visits.
final class ModelOutside: Sendable {
    struct State: Sendable {
        /// By domain, with the mark.
        var counted: [String: String] = [:]
        /// What the world is told of a name; the server's address where nothing stands here.
        var told: [String: [String]] = [:]
        var faults: [Int: OutsideFault] = [:]
        var calls = 0
    }

    let state = Mutex(State())

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    var calls: Int { state.withLock { $0.calls } }

    /// Of the servers, as their label says it.
    static let address = "192.0.2.1"

    func plug(into ports: inout Ports) {
        ports.resolver = ResolverPort { name, type throws(PortError) in
            try self.call { state in state.told["\(type.rawValue) \(name)"] ?? (type == .a ? [Self.address] : []) }
        }
        let sites = ObjectProvider<AnalyticsSite>(
            find: { name, _ throws(PortError) in
                try self.call { state in
                    state.counted[name].map { MarkedObject(AnalyticsSite(domain: name, id: "7"), mark: $0) }
                }
            },
            put: { site, mark throws(PortError) in
                try self.call { state in
                    if state.counted[site.domain] == nil { state.counted[site.domain] = mark }
                }
            },
            remove: { name, mark throws(PortError) in
                try self.call { state in
                    if state.counted[name] == mark { state.counted[name] = nil }
                }
            })
        let integration = Integration(
            analytics: AnalyticsProvider(sites: sites, snippet: { id throws(PortError) in "<script>\(id)</script>" }),
            test: { [] })
        ports.integrations = IntegrationsPort(
            named: { name throws(PortError) in
                guard name == "matomo" else { throw .notSetUp("integration \(name)") }
                return integration
            }, offering: { _ throws(PortError) in ["matomo"] })
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
