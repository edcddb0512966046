package import DriverKit
import Glibc
package import Recipes
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
    /// Whether containers may have something of the node, as its owner says.
    let allowsPrivileged: Bool
    package let recipes: RecipeShelf

    init(
        tools: ProxmoxTools, files: NodeFiles, version: String, allowsPrivileged: Bool = false,
        recipes: RecipeShelf = RecipeShelf()
    ) {
        self.recipes = recipes
        self.allowsPrivileged = allowsPrivileged
        self.tools = tools
        self.files = files
        self.version = version
    }

    /// The driver where the node has the cluster's files and the tools below the root.
    /// - Parameters:
    ///   - root: what stands in front of every path; empty on a real machine.
    ///   - patience: time limit of a command that only looks, and of waiting for what was asked of the HA manager.
    ///   - allowsPrivileged: whether privileged containers, and those with folders of the node, are made and written into.
    package static func detect(
        root: String = "", patience: Duration = .seconds(60), allowsPrivileged: Bool = false,
        recipes: RecipeShelf = RecipeShelf()
    ) async -> ProxmoxDriver? {
        let tools = ProxmoxTools(root: root, patience: patience)
        guard tools.areInstalled, let files = try? await NodeFiles.find(root: root) else { return nil }
        return ProxmoxDriver(
            tools: tools, files: files, version: await tools.version(), allowsPrivileged: allowsPrivileged,
            recipes: recipes)
    }

    /// Whether the node's tools are there, whatever state its cluster's files are in.
    package static func isInstalled(root: String = "") -> Bool {
        ProxmoxTools(root: root, patience: .zero).areInstalled
    }

    package func absence() async -> String? {
        guard tools.areInstalled else { return "the tools of Proxmox VE are gone" }
        do throws(DriverError) {
            return try await files.aside { $0.isThere } ? nil : Self.clusterIsAway.message
        } catch { return error.message }
    }

    package var actions: [ActionSpec] { Self.table.map { $0.spec.named(by: Self.forms) } }

    package func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        do throws(DriverError) { return try await Self.table.perform(call, on: self, context) } catch {
            throw TakenIDs.noting(await knowingLock(error, of: call), of: call)
        }
    }

    /// The tool says alike that a container is locked by what works on it and by what has died. A look tells the two apart,
    /// for every action in the same way.
    private func knowingLock(_ error: DriverError, of call: ActionCall) async -> DriverError {
        guard error.code == .busy, error.message == ProxmoxFailure.isLocked,
            let vmid = Self.vmid(ofResource: call.resource)
        else { return error }
        // Not in the caller's task, which may have been cancelled.
        return await Task {
            guard let found = try? await self.look(vmid), let lock = found.config.lock,
                let known = try? await self.lockError(found, lock)
            else { return error }
            return error.changed ? known.afterChange() : known
        }.value
    }

    static func vmid(ofResource resource: String) -> Int? {
        let prefix = "proxmox/ct/"
        return resource.hasPrefix(prefix) ? Int(resource.dropFirst(prefix.count)) : nil
    }

    /// What a call works on, by what its arguments say.
    private static let forms: [String: String] = [
        "container": "proxmox/ct/{vmid}",
        "snapshot": "proxmox/ct/{vmid}",
        "snapshot.list": "proxmox/ct/{vmid}",
        "recipe": "proxmox/ct/{vmid}",
        "ha.add": "proxmox/ct/{vmid}",
        "ha.remove": "proxmox/ct/{vmid}",
        "ha.rule": "proxmox/ha/{rule}",
    ]

    private static let table: [Action<ProxmoxDriver>] =
        (lookActions + creationActions + powerActions + settingActions + snapshotActions + insideActions
        + fileActions + backupActions + movingActions + highAvailabilityActions + recipeActions).taking(
            arguments.merging(recipeArguments(.vmid)) { $1 }, secrets: recipeSecrets,
            marked: ["container", "snapshot", "recipe", "backup.destroy", "ha.add", "ha.remove"])
}
