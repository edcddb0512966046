extension Command {
    /// What makes two commands the same order: the bytes that a receipt's digest is taken over.
    ///
    /// Members are sorted, so the order in which arguments were written does not matter. Deadline, window, trace and journal may
    /// differ between two deliveries of one order and are left out.
    /// - Parameter secretsDigest: of `secrets` (`sortedSecrets`), hexadecimal, made by the caller with its own key;
    ///   empty when there are none.
    package func identity(secretsDigest: String) -> [UInt8] {
        let order: JSONObject = [
            "resource": .string(resource), "generation": .integer(generation), "driver": .string(driver),
            "operation": .string(operation), "arguments": .object(arguments), "secrets": .string(secretsDigest),
        ]
        var bytes: [UInt8] = []
        JSONValue.object(order).encodeSorted(into: &bytes)
        return bytes
    }

    /// The secrets with sorted members; empty when there are none.
    package var sortedSecrets: [UInt8] {
        var bytes: [UInt8] = []
        if let secrets { JSONValue.object(secrets).encodeSorted(into: &bytes) }
        return bytes
    }
}

extension Command: CustomStringConvertible, CustomReflectable {
    /// Without arguments and secrets, so that an interpolated message cannot leak them.
    package var description: String { "command(\(id): \(driver).\(operation) on \(resource) at \(generation))" }
    package var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "id": id, "resource": resource, "generation": generation, "driver": driver, "operation": operation,
            ])
    }
}
