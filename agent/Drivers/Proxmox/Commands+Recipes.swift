package import DriverKit
import Recipes
import WireProtocol

/// Recipes go into containers as commands do: by `pct exec`, over standard input.
extension ProxmoxDriver: RecipeHost {
    package func enter(
        _ call: ActionCall, _ command: [String], _ context: ActionContext
    ) async throws(DriverError) -> Int64 {
        guard let vmid = call.arguments["vmid"]?.asInteger else { throw .invalidArgument("vmid", "is missing") }
        let found = try await require(Int(vmid))
        // Nothing is set up in what nobody of ours made, also where the call names no service.
        if found.markedFor != nil || found.mark?.service == nil { throw found.isNobodys }
        let inner = ActionCall(
            action: "container.exec", resource: call.resource,
            arguments: [
                "vmid": .integer(vmid), "command": .array(command.map(JSONValue.string)), "stdin": true, "tty": false,
            ])
        return try await Self.insideActions.exitCode(inner, on: self, context)
    }
}

extension Guest {
    fileprivate var isNobodys: DriverError {
        DriverError(.foreign, "container \(vmid) bears no mark of a service: no recipe is run in it")
    }
}
