import DriverKit
import Model
import WireProtocol
import YAML

/// Compose on this node: what its owner says, and the tool that was found.
struct ComposeOffice: Sendable {
    let settings: ComposeSettings
    let toolbox: ComposeToolbox

    init(_ settings: ComposeSettings) {
        self.settings = settings
        toolbox = ComposeToolbox(settings.tool)
    }
}

/// A file that is to be checked, changed or put to work.
struct ComposeSpec: Sendable {
    let project: String
    let content: String
    let variables: ComposeVariables
    let transform: ComposeTransform?

    init(_ reader: inout ArgumentReader, _ call: ActionCall) throws(DriverError) {
        project = try reader.string("project")
        content = try reader.string("content")
        transform = try reader.object("transform").map { (object) throws(DriverError) in try ComposeTransform(object) }
        variables = ComposeVariables(
            plain: try Self.variables(try reader.object("env"), "env"),
            secret: try Self.variables(call.secrets["env"]?.asObject, "secrets.env"))
    }

    private static func variables(_ object: JSONObject?, _ name: String) throws(DriverError) -> [String: String] {
        let own = ["PATH", "HOME", "TMPDIR", "PWD", "LANG", "LANGUAGE"]
        let prefixes = ["LC_", "COMPOSE_", "DOCKER_", "BUILDKIT_", "BUILDX_", "LD_", "PYTHON", "GO", "SSH_"]
        for member in object?.members ?? [] {
            guard Grammar.environmentName.accepts(member.key), !own.contains(member.key),
                !prefixes.contains(where: { member.key.uppercased().hasPrefix($0) }),
                !member.key.uppercased().hasSuffix("_PROXY")
            else { throw .invalidArgument(name, "has a variable that is the tool's own or has no proper name") }
            guard let text = member.value.asString, !text.utf8.contains(0), text.utf8.count <= 64 << 10 else {
                throw .invalidArgument(name, "must hold strings without NUL")
            }
        }
        return object?.texts ?? [:]
    }
}

extension DockerDriver {
    func folder(_ project: String) -> ComposeFolder { ComposeFolder(root: compose.settings.root, project: project) }

    /// The file as this node would have it: changed as asked, its relative paths in the project's folder.
    func fitted(_ order: ComposeSpec) async throws(DriverError) -> TransformedFile {
        var transform = try ComposeTransform([:])
        if let asked = order.transform { transform = asked }
        let file = try ComposeFile(order.content, as: try await schema())
        let taken = try await scan(nil, project: order.project).taken
        var result = try TransformedFile(file, transform, project: order.project, taken: taken)
        result.file = try result.file.resolvingPaths(in: folder(order.project).data)
        return result
    }

    /// How the tool of this node reads; without one, what all tools read alike.
    private func schema() async throws(DriverError) -> YAMLSchema {
        do { return try await compose.toolbox.tool().schema } catch {
            if error.code == .cancelled { throw error }
            return .both
        }
    }

    /// Lets the tool read the candidate in the project's folder, and gives back what it understood and what it warns of.
    func effective(_ run: ComposeRun) async throws(DriverError) -> (file: ComposeFile, warnings: [String]) {
        let answer = try await run.run(
            run.tool.isPlugin ? ["config", "--format", "json"] : ["config"], deadline: .seconds(60))
        guard var tree = run.tool.tree(answer.output)?.asObject else {
            throw DriverError(.failed, "compose printed a configuration that cannot be read")
        }
        // Filled in by the tool.
        tree["name"] = nil
        let file = try ComposeFile(tree: tree)
        try file.checkReferences()
        return (file, answer.warnings)
    }

    /// - Parameter scratch: where the file lies that is only tried, when that is not the project's folder.
    func run(
        _ project: String, file: String, _ variables: ComposeVariables, scratch: ComposeFolder? = nil
    ) async throws(DriverError) -> ComposeRun {
        let folder = folder(project)
        return ComposeRun(
            tool: try await compose.toolbox.tool(), socket: engine.socket, project: project, folder: folder,
            scratch: scratch ?? folder, file: file, variables: variables)
    }
}
