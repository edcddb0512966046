import DriverKit
import Model
import WireProtocol

/// Changing datasets.
extension ZFSDriver {
    func ensureDataset(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let spec = try DatasetSpec(&reader, dataset: "dataset", mark: call.mark, by: context.commandID)
        try reader.finish()
        try call.concerns(spec.dataset)
        return try await fulfil(spec, context) { () throws(DriverError) in
            try await self.makeParents(of: spec.dataset)
            try await self.tools.act(["create"] + spec.creationOptions + ["--", spec.dataset])
        }
    }

    func ensureClone(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let spec = try DatasetSpec(&reader, dataset: "target", mark: call.mark, by: context.commandID)
        let origin = "\(try reader.string("dataset"))@\(try reader.string("snapshot"))"
        try reader.finish()
        try call.concerns(spec.dataset)
        let outcome = try await fulfil(spec, context) { () throws(DriverError) in
            _ = try await self.require(origin, ["guid"])
            try await self.makeParents(of: spec.dataset)
            try await self.tools.act(["clone"] + spec.creationOptions + ["--", origin, spec.dataset])
        } isRight: { found throws(DriverError) in
            if found.text("origin") != origin {
                throw DriverError(.conflict, "dataset \(spec.dataset) is there and no clone of \(origin)")
            }
        }
        return outcome
    }

    func setQuota(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("dataset")
        let quota = try reader.integer("quota_bytes")
        try reader.finish()
        try call.concerns(name)
        let before = try await require(name)
        if before.number("quota") == quota { return .seen(before.json) }
        try await set("quota", String(quota), on: name)
        return ActionOutcome(changed: true, observed: try await require(name).json)
    }

    func destroyDataset(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("dataset")
        let recursive = try reader.bool("recursive")
        let owner = try reader.optionalString("owner")
        try reader.finish()
        try call.concerns(name)
        let gone: JSONObject = ["dataset": .string(name), "present": false]
        guard let found = try await look(name) else { return .seen(gone) }
        if let owner, found.owner != owner {
            throw DriverError(.foreign, "dataset \(name) belongs to \(found.owner ?? "nobody"), not to \(owner)")
        }
        try await destroy((recursive ? ["-r"] : []) + ["--", name])
        if try await look(name) != nil { throw DriverError(.failed, "dataset \(name) is there after its removal") }
        return ActionOutcome(changed: true, observed: gone)
    }

    /// Destroys; what somebody else has destroyed in the meantime is right, too.
    func destroy(_ arguments: [String]) async throws(DriverError) {
        do {
            try await tools.actPatiently(["destroy"] + arguments)
        } catch  where error.code == .notFound {}
    }

    /// Makes the dataset be there as wished and mounted; `create` runs when it is not there, `isRight` when it is.
    private func fulfil(
        _ spec: DatasetSpec, _ context: ActionContext, create: () async throws(DriverError) -> Void,
        isRight: (ZFSObject) throws(DriverError) -> Void = { _ throws(DriverError) in }
    ) async throws(DriverError) -> ActionOutcome {
        let properties = ZFSObject.datasetProperties + spec.properties.map(\.name)
        var changed = false
        if try await look(spec.dataset) == nil {
            changed = true
            context.progress("creating \(spec.dataset)")
            try await createOrFind(spec.dataset, create)
        }
        let found = try await require(spec.dataset, properties)
        try isRight(found)
        try spec.checkOwner(of: found)
        if spec.owner != nil { try await closeParent(of: spec.dataset) }
        // From here on it is the caller's own, which whoever gives up has to remove.
        do throws(DriverError) {
            return try await settle(spec, found, properties, changed)
        } catch { throw error.afterChange() }
    }

    /// Gives the dataset its properties and its place.
    private func settle(
        _ spec: DatasetSpec, _ found: ZFSObject, _ properties: [String], _ created: Bool
    ) async throws(DriverError) -> ActionOutcome {
        var changed = created
        for setting in spec.missing(in: found) {
            changed = true
            try await set(setting.name, setting.value, on: spec.dataset)
        }
        if try await mountIfNeeded(spec.dataset) { changed = true }
        let end = try await require(spec.dataset, properties)
        if let wrong = spec.refused(by: end) {
            let value = end.properties[wrong.name]?.value ?? "nothing"
            throw DriverError(
                .failed, "\(wrong.name) of \(spec.dataset) is \(value) after it was set to \(wrong.value)")
        }
        return ActionOutcome(changed: changed, observed: end.json)
    }

    /// Creates; a dataset that is there in spite of a failure (not mounted, or made by somebody else) is taken as it is.
    ///
    /// Two calls that make the same missing parent get in each other's way: the slower one tries again.
    private func createOrFind(_ name: String, _ create: () async throws(DriverError) -> Void) async throws(DriverError)
    {
        for attempt in 1... {
            do {
                return try await create()
            } catch {
                let canLook = error.code != .unknownOutcome && error.code != .cancelled && error.code != .unavailable
                guard canLook else { throw error }
                if try await look(name) != nil { return }
                guard error.code == .conflict, attempt < 10 else { throw error }
            }
        }
    }

    private func set(_ property: String, _ value: String, on name: String) async throws(DriverError) {
        let value = property == "quota" && value == "0" ? "none" : value
        // `set` of the old tools takes `--` for a dataset; the grammar lets no name begin with a dash.
        try await tools.actPatiently(["set", "\(property)=\(value)", name])
    }

    /// Mounts a file system that has a place and may be mounted; `true` when that was needed.
    private func mountIfNeeded(_ name: String) async throws(DriverError) -> Bool {
        let found = try await require(name)
        guard found.text("mounted") == "no", found.text("canmount") != "off",
            found.text("mountpoint")?.hasPrefix("/") == true
        else { return false }
        do {
            try await tools.act(["mount", "--", name])
        } catch  where error.cause?.contains("already mounted") == true {}
        return true
    }
}
