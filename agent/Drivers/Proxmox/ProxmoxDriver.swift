package import DriverKit
import Glibc
import WireProtocol

/// Containers of a Proxmox VE node, through its own tools; what can be read is read from `/etc/pve` and the control groups.
///
/// A change looks first, acts, and looks again: the tools' exit codes do not tell what has happened. A call works on the
/// container of its own resource (`proxmox/ct/<vmid>`) only.
package final class ProxmoxDriver: Driver {
    package static let name = "proxmox"

    package let version: String
    /// About one tool for each processor: starting one takes most of a second of it.
    package let concurrency = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let tools: ProxmoxTools
    let files: NodeFiles
    let abandonedCreations = AbandonedCreations()

    init(tools: ProxmoxTools, files: NodeFiles, version: String) {
        self.tools = tools
        self.files = files
        self.version = version
    }

    /// The driver where the node has the cluster's files and the tools below the root.
    /// - Parameters:
    ///   - root: what stands in front of every path; empty on a real machine.
    ///   - patience: time limit of a command that only looks, and of waiting for what was asked of the HA manager.
    package static func detect(root: String = "", patience: Duration = .seconds(60)) async -> ProxmoxDriver? {
        let tools = ProxmoxTools(root: root, patience: patience)
        guard tools.areInstalled, let files = try? await NodeFiles.find(root: root) else { return nil }
        return ProxmoxDriver(tools: tools, files: files, version: await tools.version())
    }

    package var operations: [OperationSpec] { Self.table.map(\.spec) }

    package func perform(
        _ call: OperationCall, _ context: OperationContext
    ) async throws(DriverError) -> OperationOutcome {
        try await Self.table.perform(call, on: self, context)
    }

    static func vmid(ofResource resource: String) -> Int? {
        let prefix = "proxmox/ct/"
        return resource.hasPrefix(prefix) ? Int(resource.dropFirst(prefix.count)) : nil
    }

    private static let table: [Operation<ProxmoxDriver>] =
        lookOperations + creationOperations + powerOperations + settingOperations + snapshotOperations
        + insideOperations
        + fileOperations + backupOperations + movingOperations + highAvailabilityOperations
}
