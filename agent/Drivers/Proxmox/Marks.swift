package import DriverKit
import Model
import WireProtocol

/// Whose a container is: the first line of its description decides. The nonce is the command that made it.
extension ProxmoxDriver: MarkStore {
    package func mark(of call: ActionCall) async throws(DriverError) -> FoundMark {
        guard let vmid = Self.vmid(ofResource: call.resource) else { return .nothing }
        if let found = try await look(vmid) { return found.foundMark }
        // What these change is the cluster's, wherever the container is.
        guard ["ha.remove", "backup.destroy"].contains(call.action) else { return .nothing }
        return try await files.aside { $0.guestElsewhere(vmid) }?.foundMark ?? .nothing
    }

    /// Takes a container that bears no mark into care: the line goes before what its description says.
    func markContainer(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        try reader.finish()
        guard let mark = call.mark?.made(by: context.commandID) else { throw .invalidArgument("mark", "is missing") }
        let found = try await require(vmid)
        if found.mark?.service != nil { return .seen(found.json) }
        try await checkUnlocked(found)
        let line = GuestMark(service: mark.service, nonce: mark.nonce ?? context.commandID, vmid: vmid).line
        let text = found.config.description.isEmpty ? line : "\(line)\n\(found.config.description)"
        let end = try await achieve(vmid, "was marked") {
            $0?.mark?.service == mark.service
        } by: { () throws(DriverError) in
            try await tools.act(.pct, ["set", "\(vmid)", "--description", text])
        }
        return ActionOutcome(changed: true, observed: end?.json ?? [:])
    }
}
