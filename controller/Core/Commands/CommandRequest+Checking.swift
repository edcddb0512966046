import Model
import Store
import WireProtocol

extension CommandRequest {
    private static let deadlines = Duration.seconds(1)...Duration.seconds(24 * 3600)
    private static let defaultDeadline = Duration.seconds(60)

    /// The command, with what the node's catalogue says of the operation. A node that has told none may know it all the same.
    func command(on node: NodeRecord, catalogue: JSONValue?) -> Result<NodeCommand, CoreError> {
        do throws(CoreError) {
            let (driver, name) = try parts
            let offer = try offer(driver, name, node, catalogue)
            try check(offer?.schemas)
            let resource = resource ?? offer?.form?.resource(of: arguments) ?? driver
            guard (1...512).contains(resource.utf8.count), resource.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw .invalid(field: "resource", problem: "must be 1 to 512 bytes without control characters")
            }
            let deadline = deadline ?? offer?.deadline ?? Self.defaultDeadline
            guard Self.deadlines.contains(deadline) else {
                throw .invalid(field: "deadline_seconds", problem: "must be from 1 to 86400")
            }
            return .success(
                NodeCommand(
                    node: node.id, driver: driver, action: name, resource: resource,
                    arguments: completed(offer?.form), secrets: secrets, deadline: deadline,
                    mutates: offer?.mutates ?? true, isFollowed: isFollowed,
                    isAttended: isAttended))
        } catch {
            return .failure(error)
        }
    }

    /// What the node would refuse by its schema is refused before it is stored, a secret in the wrong place above all.
    private func check(_ schemas: (arguments: JSONValue, secrets: JSONValue?)?) throws(CoreError) {
        guard let schemas else { return }
        let (open, secret) = (schemas.arguments["properties"], schemas.secrets?["properties"])
        for key in arguments.keys where open?[key] == nil {
            let problem =
                secret?[key] == nil ? "is not an argument of \(operation)" : "is a secret: it belongs into secrets"
            throw .invalid(field: "arguments.\(key)", problem: problem)
        }
        for key in secrets.keys where secret?[key] == nil {
            throw .invalid(field: "secrets.\(key)", problem: "is no secret of \(operation)")
        }
    }

    /// With what the resource says of them where they do not: `vmid` need not be given beside `proxmox/ct/101`.
    private func completed(_ form: ResourceForm?) -> JSONObject {
        guard let resource, let found = form?.arguments(of: resource) else { return arguments }
        return found.reduce(into: arguments) { all, argument in
            if all[argument.name] == nil { all[argument.name] = .string(argument.value) }
        }
    }

    private var parts: (driver: String, name: String) {
        get throws(CoreError) {
            let parts = operation.split(separator: ".", maxSplits: 1).map(String.init)
            guard parts.count == 2, operation.utf8.count <= 128, Self.isID(parts[0]), Self.isID(parts[1]) else {
                throw .invalid(field: "operation", problem: "must be a driver and an operation: docker.container.list")
            }
            return (parts[0], parts[1])
        }
    }

    private static func isID(_ text: String) -> Bool {
        text.utf8.first.map { $0 | 0x20 >= 0x61 || $0 < 0x3A } == true
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                    || [0x2D, 0x2E, 0x5F].contains(byte)
            }
    }

    /// What the node says of an action.
    private struct Offer {
        let deadline: Duration?
        let mutates: Bool
        let form: ResourceForm?
        let schemas: (arguments: JSONValue, secrets: JSONValue?)?
    }

    private func offer(
        _ driver: String, _ name: String, _ node: NodeRecord, _ catalogue: JSONValue?
    ) throws(CoreError) -> Offer? {
        guard let drivers = catalogue?.asArray else { return nil }
        guard let found = drivers.first(where: { $0["driver"]?.asString == driver }) else {
            let known = drivers.compactMap { $0["driver"]?.asString }.joined(separator: ", ")
            throw .invalid(field: "operation", problem: "names a driver that \(node.name) has not; it has \(known)")
        }
        guard let offer = found["operations"]?.asArray?.first(where: { $0["name"]?.asString == name }) else {
            throw .invalid(
                field: "operation", problem: "names nothing that the driver \(driver) of \(node.name) can do")
        }
        let deadline = offer["deadline_ms"]?.asInteger.map { Duration.milliseconds($0) }
        return Offer(
            deadline: deadline.map { min($0, Self.deadlines.upperBound) },
            mutates: offer["kind"]?.asString != "observe",
            form: offer["resource"]?.asString.flatMap(ResourceForm.init),
            schemas: offer["arguments"].map { ($0, offer["secrets"]) })
    }
}
