import DriverKit
import Processes
import WireProtocol

/// Changing what a container has.
extension ProxmoxDriver {
    static let settingOperations: [Operation<ProxmoxDriver>] = [
        Operation(OperationSpec("container.set", .mutate, summary: "changes the settings of a container")) {
            (driver, call, _) throws(DriverError) in try await driver.setContainer(call)
        },
        Operation(
            OperationSpec(
                "container.resize", .mutate, defaultDeadline: .seconds(600),
                summary: "makes a disk of a container larger")
        ) { (driver, call, _) throws(DriverError) in try await driver.resizeDisk(call) },
    ]

    /// Sets what is not so yet. What a running container takes only at its next start is listed as `pending`.
    private func setContainer(_ call: OperationCall) async throws(DriverError) -> OperationOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let change = try GuestChange(&reader)
        try reader.finish()
        let found = try await require(vmid)
        let words = try change.missing(in: found.config)
        guard !words.isEmpty else { return .seen(found.json) }
        try await checkUnlocked(found)
        try await checkRoom(change.sizes(missingIn: found.config))
        let end = try await apply(words, vmid) { change.isMet(by: $0) }
        return OperationOutcome(changed: true, observed: end.json)
    }

    func apply(
        _ words: [String], _ vmid: Int, _ isMet: (GuestConfig) -> Bool
    ) async throws(DriverError) -> Guest {
        let end = try await achieve(vmid, "took the settings") {
            $0.map { isMet($0.config) } ?? false
        } by: {
            () throws(DriverError) in
            try await tools.act(.pct, ["set", "\(vmid)"] + words)
        }
        guard let end else { throw DriverError(.notFound, "container \(vmid) is gone") }
        return end
    }

    /// The tool exits 0 whatever became of it, and takes half a minute for a container that does not run.
    private func resizeDisk(_ call: OperationCall) async throws(DriverError) -> OperationOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let disk = try reader.text("disk", .disk)
        let bytes = try reader.integer("size_mib", in: 1...(1 << 37)) << 20
        try reader.finish()
        let found = try await require(vmid)
        guard let size = found.size(of: disk) else {
            throw DriverError(.notFound, "container \(vmid) has no disk \(disk) of known size")
        }
        if size == bytes { return .seen(found.json) }
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
        return OperationOutcome(changed: true, observed: end.json)
    }
}
