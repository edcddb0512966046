import WireProtocol

extension ActionSpec {
    /// The call as the action gets it: every argument read by its form, with defaults where nothing was given.
    /// - Throws: `invalidArgument` that names the argument; a secret's value is never quoted.
    package func reading(_ call: ActionCall) throws(DriverError) -> ActionCall {
        guard let arguments else { return call }
        if let name = call.arguments.keys.first(where: isSecretOnly) {
            throw .invalidArgument(name, "is a secret: it belongs among the secrets of the call")
        }
        var read = try arguments.read(call.arguments, at: ArgumentPlace(path: "", isSecret: false))
        let mark = Mark(argument: read["mark"])
        read["mark"] = nil
        return ActionCall(
            action: call.action, resource: call.resource, arguments: read,
            secrets: try secrets.read(call.secrets, at: ArgumentPlace(path: "secrets", isSecret: true)),
            mark: mark ?? call.mark)
    }

    private func isSecretOnly(_ name: String) -> Bool {
        secrets.contains { $0.name == name } && arguments?.contains { $0.name == name } != true
    }
}
