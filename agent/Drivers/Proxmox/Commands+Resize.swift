import DriverKit
import Processes
import WireProtocol

extension ProxmoxDriver {
    /// The tool exits 0 whatever became of it, and takes half a minute for a container that does not run.
    func resizeDisk(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let disk = try reader.string("disk")
        let bytes = try reader.integer("size_mib") << 20
        try reader.finish()
        let found = try await require(vmid)
        guard let size = found.size(of: disk) else {
            throw DriverError(.notFound, "container \(vmid) has no disk \(disk) of known size")
        }
        if size == bytes {
            try await checkFileSystem(found, disk, bytes)
            return .seen(found.json)
        }
        guard size < bytes else {
            throw DriverError(.conflict, "disk \(disk) has \(size >> 20) MiB; none is made smaller")
        }
        try await checkUnlocked(found)
        let outcome = try await tools.act(.pct, ["resize", "\(vmid)", disk, "\(bytes >> 20)M"])
        let end = try await require(vmid)
        guard end.size(of: disk) == bytes else {
            throw ProxmoxFailure.error(.pct, message: outcome.errorText, log: outcome.outputText)
        }
        // The log is told as a message: the volume has grown, and its file system has not.
        if outcome.outputText.contains("Failed to update the container's filesystem") {
            throw ProxmoxFailure.error(.pct, message: outcome.outputText).afterChange()
        }
        do throws(DriverError) { try await checkFileSystem(end, disk, bytes) } catch { throw error.afterChange() }
        return ActionOutcome(changed: true, observed: end.json)
    }

    /// The tool knows the size of the volume only, and calls it reached although the file system on it has not grown.
    private func checkFileSystem(_ found: Guest, _ disk: String, _ bytes: Int64) async throws(DriverError) {
        guard let volume = found.config[disk].flatMap({ PropertyText($0).first }), volume.contains(":"),
            let path = try? await tools.read(.pvesm, ["path", volume]).split(separator: "\n").first.map(String.init),
            path.hasPrefix("/"),
            let inner = try await files.aside({ $0.fileSystemBytes(at: path) }), inner + ExtFileSystem.slack < bytes
        else { return }
        throw DriverError(
            .failed,
            "disk \(disk) has \(bytes >> 20) MiB, but its file system only \(inner >> 20) MiB: stop the container and "
                + "run e2fsck -f and resize2fs on \(path), or ask for some MiB more then")
    }
}
