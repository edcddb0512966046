package import DriverKit
import Model
import WireProtocol

/// Whose a dataset is: two user properties that are its own. What it inherits, and what a stream brought along, is no mark.
extension ZFSDriver: MarkStore {
    package func mark(of call: ActionCall) async throws(DriverError) -> FoundMark {
        let name = String(call.resource.dropFirst("zfs/".count))
        let properties = [ZFSObject.ownerProperty, ZFSObject.nonceProperty]
        guard Grammar.datasetName.accepts(name), let found = try await look(name, properties) else { return .nothing }
        return found.mark.map(FoundMark.mark) ?? .stranger
    }

    /// Takes a dataset that bears no mark into care.
    func markDataset(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("dataset")
        try reader.finish()
        try call.concerns(name)
        guard let mark = call.mark?.made(by: context.commandID) else { throw .invalidArgument("mark", "is missing") }
        let found = try await require(name)
        if found.mark?.nonce != nil { return .seen(found.json) }
        for (property, value) in mark.settings { try await tools.actPatiently(["set", "\(property)=\(value)", name]) }
        return ActionOutcome(changed: true, observed: try await require(name).json)
    }
}

extension Mark {
    /// As properties of a dataset.
    var settings: [(name: String, value: String)] {
        [(ZFSObject.ownerProperty, service)] + (nonce.map { [(ZFSObject.nonceProperty, $0)] } ?? [])
    }
}
