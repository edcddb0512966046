package import DriverKit
import WireProtocol

/// Whose a configuration is, in a folder that only root may read: the container can write beside its own files. The first line
/// of a file, which said it alone at first, tells that it is ours and not by whom that was written.
extension SwagDriver: MarkStore {
    package func mark(of call: ActionCall) async throws(DriverError) -> FoundMark {
        let named = call.arguments["name"]?.asString.map { "\($0).subdomain.conf" }
        guard let file = named ?? call.arguments["file"]?.asString,
            let present = try ConfigurationFolder(try await installation().folder).read(file)
        else { return .nothing }
        if let mark = marks.mark(of: file) { return .mark(mark) }
        return Self.isManaged(present) ? .unmarked : .stranger
    }

    /// Takes a configuration of ours into care that was made before there were marks.
    func markConfiguration(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let file = "\(try reader.string("name")).subdomain.conf"
        try reader.finish()
        guard let mark = call.mark?.made(by: context.commandID) else { throw .invalidArgument("mark", "is missing") }
        guard let present = try ConfigurationFolder(try await installation().folder).read(file) else {
            throw DriverError(.notFound, "there is no \(file)")
        }
        let observed = Self.summary(ProxyFile(file)!, present)
        if marks.mark(of: file) != nil { return ActionOutcome(changed: false, observed: observed) }
        guard Self.isManaged(present), Self.owner(present).map({ $0 == mark.service }) ?? true else {
            throw DriverError(.foreign, "\(file) was not made for \(mark.service)")
        }
        try marks.note(mark, of: file)
        return ActionOutcome(changed: true, observed: observed)
    }
}
