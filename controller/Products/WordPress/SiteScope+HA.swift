import ControllerCore
import Saga
import WireProtocol

/// Whether the HA manager looks after a container.
extension SiteScope {
    /// Lets the HA manager look after the container where the specification wants that. Returns whether it does.
    func joinHA(_ guest: FoundGuest, storage: String, _ call: StepCall) async throws(StepFailure) -> Bool {
        switch spec.highAvailability {
        case .off: return false
        case .on: break
        case .auto:
            if let reason = try await objectionToHA(guest, storage, call) {
                note(call, "warning: the HA manager does not look after container \(guest.vmid): \(reason)")
                return false
            }
        }
        _ = try await order("ha.add", guest, call)
        return true
    }

    func leaveHA(_ guest: FoundGuest, _ call: StepCall) async throws(StepFailure) {
        _ = try await order("ha.remove", guest, call)
    }

    private func objectionToHA(
        _ guest: FoundGuest, _ storage: String, _ call: StepCall
    ) async throws(StepFailure) -> String? {
        let cluster = try await ask("cluster.status", guest.node, call)
        let votes = cluster["nodes"]?.asArray?.count ?? 1
        guard cluster["quorate"] == true, votes >= 3 else {
            return "its cluster has \(votes) \(votes == 1 ? "vote" : "votes"), and 3 are needed"
        }
        let storages = try await ask("storage.list", guest.node, call)["storages"]?.asArray ?? []
        guard storages.first(where: { $0["storage"]?.asString == storage })?["shared"] == true else {
            return "storage \(storage) of its root disk is not shared by the nodes"
        }
        return nil
    }

    func ask(_ action: String, _ node: String, _ call: StepCall) async throws(StepFailure) -> JSONObject {
        let question = ActionRequest(
            driver: "proxmox", action: action, resource: "proxmox/node", arguments: [:], isShared: true)
        return try await send(question, to: node, call.part(action))
    }
}
