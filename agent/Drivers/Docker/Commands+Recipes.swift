package import DriverKit
import Recipes
import WireProtocol

/// Recipes go into containers as commands do, over standard input.
extension DockerDriver: RecipeHost {
    package func enter(
        _ call: ActionCall, _ command: [String], _ context: ActionContext
    ) async throws(DriverError) -> Int64 {
        guard let name = call.arguments["name"]?.asString else { throw .invalidArgument("name", "is missing") }
        // Nothing is set up in what nobody of ours made, also where the call names no service.
        if try await existing(name).owner == nil {
            throw DriverError(.foreign, "container \(name) bears no mark of a service: no recipe is run in it")
        }
        let inner = ActionCall(
            action: "container.exec", resource: call.resource,
            arguments: [
                "name": .string(name), "command": .array(command.map(JSONValue.string)), "stdin": true, "tty": false,
            ])
        return try await [Self.execAction].exitCode(inner, on: self, context)
    }
}
