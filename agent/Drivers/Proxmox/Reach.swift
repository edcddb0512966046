import DriverKit
import WireProtocol

/// What a container has of the node. Whoever is root inside such a one, or writes into it, has it too.
extension GuestConfig {
    /// The first such thing, as a clause; nil for a container that keeps to itself.
    var reach: String? {
        if values["unprivileged"] != "1" { return "it is privileged: its root is the node's" }
        if let line = raw.first { return "it has \(line.key)" }
        if let bind = numbered("mp").first(where: { $0.properties.first?.hasPrefix("/") ?? false }) {
            return "\(bind.key) shows it a folder of the node"
        }
        return numbered("dev").first.map { "\($0.key) shows it a device of the node" }
    }
}

extension ProxmoxDriver {
    /// Refuses what would hand such a container to whoever asks, unless the node's owner has said the word.
    func checkReach(of config: GuestConfig, _ subject: String) throws(DriverError) {
        guard let reach = config.reach, !allowsPrivileged else { return }
        throw DriverError(
            .permissionDenied, "\(subject) reaches the node, which this node's configuration does not allow",
            cause: "\(reach); \"proxmox_allow\": [\"privileged\"] allows it")
    }

    func checkCreation(_ creation: Creation) throws(DriverError) {
        guard !creation.isUnprivileged, !allowsPrivileged else { return }
        throw DriverError(
            .permissionDenied,
            "a privileged container reaches the node, which this node's configuration does not allow",
            cause: "argument unprivileged is false; \"proxmox_allow\": [\"privileged\"] allows it")
    }
}
