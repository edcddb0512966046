import DriverKit
import Model
import WireProtocol

/// Templates that the panel makes nginx's configuration of PHP sites from. A template is configuration of nginx, as
/// powerful as root: it never comes from a tenant.
extension CloudPanelDriver {
    func listTemplates(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        return .seen(["templates": .array(try await templates().map { .object($0.json) })])
    }

    func showTemplate(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("template")
        try reader.finish()
        guard let row = try await database.template(name) else {
            throw DriverError(.notFound, "there is no template \(name)")
        }
        return .seen(["template": .string(name), "text": .string(row.text), "root_directory": .string(row.root)])
    }

    func addTemplate(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("template")
        let text = try reader.templateText()
        let root = try reader.optionalString("root_directory") ?? ""
        try reader.finish()
        try call.concerns("template/\(name)")
        return try await gate.pass { () throws(DriverError) in
            let observed: JSONObject = ["template": .string(name), "root_directory": .string(root)]
            if let found = try await database.template(name) {
                guard found.text == text, found.root == root else {
                    throw DriverError(.conflict, "template \(name) is there and another")
                }
                return .seen(observed)
            }
            let answer = try await handOver(name, text, root)
            guard let found = try await database.template(name) else {
                throw answer.failure("the panel does not know the template")
            }
            guard found.text == text, found.root == root else {
                throw answer.failure("the panel has another text for the template \(name)").afterChange()
            }
            return ActionOutcome(changed: true, observed: observed)
        }
    }

    func deleteTemplate(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("template")
        try reader.finish()
        try call.concerns("template/\(name)")
        return try await gate.pass { () throws(DriverError) in
            let gone: JSONObject = ["template": .string(name), "present": false]
            guard try await database.template(name) != nil else { return .seen(gone) }
            guard try await templates().contains(where: { $0.name == name && !$0.isSystem }) else {
                throw DriverError(.conflict, "template \(name) is the panel's own")
            }
            let answer = try await tool.call("vhost-template:delete", [("name", name)], force: true)
            if try await database.template(name) != nil { throw answer.failure("the template is still there") }
            return ActionOutcome(changed: true, observed: gone)
        }
    }

    /// Only the tool says in words which are its own. It leaves out those that are not for PHP.
    private func templates() async throws(DriverError) -> [PanelTemplate] {
        PanelTemplate.parse(try await tool.read("vhost-templates:list"))
    }

    /// The tool reads a file, also one from the network: it gets one of ours. The first line tells the root directory.
    private func handOver(_ name: String, _ text: String, _ root: String) async throws(DriverError) -> PanelAnswer {
        let handover = try Handover(in: places.handover)
        defer { handover.remove() }
        let head = root.isEmpty ? "" : "# {\"rootDirectory\":\"\(root)\"}\n"
        let file = try handover.add("template", head + text + "\n", mode: 0o644)
        handover.open()
        return try await tool.call("vhost-template:add", [("name", name), ("file", file)])
    }
}

/// A template as the tool lists it.
struct PanelTemplate: Sendable, Hashable {
    let name: String
    let root: String
    let isSystem: Bool

    var json: JSONObject {
        ["template": .string(name), "root_directory": .string(root), "system": .bool(isSystem)]
    }

    /// Reads a table with frames: name, root directory, System or Custom.
    static func parse(_ text: String) -> [PanelTemplate] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map(\.trimmed)
            guard cells.count == 5, ["System", "Custom"].contains(cells[3]) else { return nil }
            return PanelTemplate(name: cells[1], root: cells[2], isSystem: cells[3] == "System")
        }
    }
}

extension PanelDatabase {
    func template(_ name: String) async throws(DriverError) -> (text: String, root: String)? {
        let found = try await rows(
            [("vhost_template", ["id", "name", "root_directory", "template"])], needed: ["vhost_template"])
        let row = found["vhost_template"]?.first { $0["name"] == name }
        return row.map { ($0["template"] ?? "", $0["root_directory"] ?? "") }
    }
}

extension ArgumentReader {
    /// As the panel keeps it: without blanks around it.
    fileprivate mutating func templateText() throws(DriverError) -> String {
        let text = try string("text").trimmed
        for placeholder in ["{{server_name}}", "{{root}}"] where !text.contains(placeholder) {
            throw .invalidArgument("text", "must have the placeholder \(placeholder)")
        }
        guard !text.utf8.contains(0) else { throw .invalidArgument("text", "must have no NUL") }
        // The panel would take the first line for settings.
        guard !text.hasPrefix("#") else { throw .invalidArgument("text", "must not begin with #") }
        return text
    }
}
