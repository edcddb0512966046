import ControllerCore
import Synchronization
import WireProtocol

/// How a web host misbehaves for one call.
enum HostFault: String, Sendable, CaseIterable {
    /// It says no, for good.
    case refuses
    /// It says "not now".
    case busy
    /// The call does not arrive.
    case unreachable
    /// It does what it was asked, and its answer is lost.
    case answerLost
    /// It answers when nobody waits any more: what it was asked is done after the next call.
    case late
    /// The call arrives twice.
    case twice
}

/// A web host that keeps folders, with faults by the number of the call.
final class ScriptedHost: Sendable {
    struct State {
        var folders: [String: JSONValue] = [:]
        var faults: [Int: HostFault] = [:]
        var calls = 0
        var late: [OutboundRequest] = []
        var isDown = false
    }

    let state = Mutex(State())

    var folders: [String: JSONValue] { state.withLock { $0.folders } }
    var calls: Int { state.withLock { $0.calls } }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    var port: HTTPPort {
        HTTPPort { order throws(PortError) in try self.state.withLock { $0.answer(order) }.get() }
    }
}

extension ScriptedHost.State {
    fileprivate mutating func answer(_ order: OutboundRequest) -> Result<OutboundReply, PortError> {
        let silence = PortError(.silent, "the host gave no answer")
        guard !isDown else { return .failure(silence) }
        calls += 1
        defer {
            for order in late where faults[calls] != .late { _ = act(order) }
            if faults[calls] != .late { late = [] }
        }
        switch faults[calls] {
        case .refuses: return .success(OutboundReply(status: 403))
        case .busy: return .success(OutboundReply(status: 503))
        case .unreachable: return .failure(silence)
        case .answerLost:
            _ = act(order)
            return .failure(silence)
        case .late:
            late.append(order)
            return .failure(silence)
        case .twice:
            _ = act(order)
            return .success(act(order))
        case nil: return .success(act(order))
        }
    }

    private mutating func act(_ order: OutboundRequest) -> OutboundReply {
        let name = order.url.split(separator: "/").last.map(String.init) ?? ""
        switch order.method {
        case "PUT":
            let isNew = folders[name] == nil
            folders[name] = (try? JSONParser.parse(order.body)) ?? .null
            return OutboundReply(status: isNew ? 201 : 200)
        case "DELETE": return OutboundReply(status: folders.removeValue(forKey: name) == nil ? 404 : 204)
        default:
            guard let folder = folders[name] else { return OutboundReply(status: 404) }
            return OutboundReply(status: 200, body: folder.encoded)
        }
    }
}
