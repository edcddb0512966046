import APIModels
import ArgumentParser
import Model
import WireProtocol

struct PlanApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Create a plan, or change it: what no flag names stays; a file replaces all of it.",
        discussion: """
            innctl plan apply small --image nginx:1.27 --memory 512MiB --cpu 0.5 --disk 5GiB
            innctl plan apply small --memory 1GiB
            innctl plan apply small --env-file secrets.env
            innctl plan show small -o json | innctl plan apply copy --file -

            A value that is shown as ******** is a hidden one; sent back so, it stays. A copy under another name has none.
            """)
    @Argument(help: "The plan's name.") var name: String
    @Option(help: "What kind of thing it sells; container by default. innctl plan schema tells its fields.")
    var product: String?
    @Option(name: [.short, .long], help: "A JSON file with the plan's fields; - for standard input.") var file: String?
    @Option(name: .customLong("set"), help: "Any field of the product, name=value; may be given again.")
    var fields: [FieldValue] = []
    @Option(
        name: .customLong("unset"), help: "A field to take away, or one member of it: env.TOKEN; may be given again.")
    var gone: [String] = []
    @Option(help: "The container image.") var image: String?
    @Option(help: "Memory: 512MiB, 2G.", transform: Size.init) var memory: Size?
    @Option(help: "Processor: 500m or 0.5 is half a core.", transform: Cores.init) var cpu: Cores?
    @Option(help: "Disk: 5GiB.", transform: Size.init) var disk: Size?
    @Option(help: "none, host, bridge or the name of a network.") var network: String?
    @Option(help: "Where the data is mounted in the container.") var mountPath: String?
    @Option(help: "A tar on the node to import the image from when it is missing.") var imageTar: String?
    @Option(help: "The pool to use.") var pool: String?
    @Option(name: .long, help: "A variable, name=value; may be given again. Others on this machine can see it.")
    var env: [Pair] = []
    @Option(help: "A file of variables, one name=value a line; - for standard input. For passwords.")
    var envFile: String?
    @Option(help: "spread or pack.") var strategy: String?
    @Option(name: .long, help: "A label that nodes must have, name=value; may be given again.") var nodeLabel: [Pair] =
        []
    @Option(
        help: "The revision that you have looked at, 0 for none; where it is another one by now, nothing is changed.")
    var revision: Int64?
    @Argument(parsing: .postTerminator, help: "After --: the command to run in the container.") var command: [String] =
        []
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let path = "/api/v1/plans/\(PercentEncoding.encode(name))"
        if let doubt = cpu?.doubt { Terminal.note("note: \(doubt)") }
        let given = try file.map { path throws(Failure) in try PlanFile.read(path) }
        let seen: Sighting<Plan> = try await controller.look(path, "plan \(name)")
        let wanted = PlanChange(
            product: product ?? given?.product,
            spec: .object(try spec(over: given?.fields ?? seen.found?.spec.asObject)))
        if let revision, revision != seen.found?.revision ?? 0 { throw seen.condition.broken }
        let plan: Plan = try await controller.change("PUT", path, wanted, if: seen.condition)
        try common.output.show(plan, PlanCard.text)
    }

    /// - Parameter base: what there is; nil for a new plan.
    private func spec(over base: JSONObject?) throws(Failure) -> JSONObject {
        var spec = base ?? JSONObject()
        for name in gone { try spec.takeAway(name) }
        for field in fields { spec[field.name] = field.value }
        spec["memory_bytes"] = memory.map { .integer($0.bytes) } ?? spec["memory_bytes"]
        spec["cpu_millis"] = cpu.map { .integer($0.millis) } ?? spec["cpu_millis"]
        spec["disk_bytes"] = disk.map { .integer($0.bytes) } ?? spec["disk_bytes"]
        let texts = [
            ("image", image), ("network", network), ("mount_path", mountPath), ("image_tar", imageTar), ("pool", pool),
        ]
        for (name, text) in texts { spec[name] = text.map { .string($0) } ?? spec[name] }
        if let envFile { spec.put(try Self.variables(envFile), into: "env") }
        if !env.isEmpty { spec.put(env.map, into: "env") }
        if !command.isEmpty { spec["command"] = .array(command.map { .string($0) }) }
        try place(&spec)
        guard base == nil, fields.isEmpty, product == nil else { return spec }
        for name in ["image", "memory_bytes", "cpu_millis", "disk_bytes"] where spec[name] == nil {
            throw Failure(
                .usage, "there is no plan \(self.name): give --file, or at least --image, --memory, --cpu and --disk")
        }
        return spec
    }

    /// `name=value` lines; empty ones and those that begin with `#` are passed over.
    private static func variables(_ file: String) throws(Failure) -> [String: String] {
        var variables: [String: String] = [:]
        for line in try LocalFile.text(file, what: "--env-file").split(separator: "\n") where !line.hasPrefix("#") {
            guard let sign = line.firstIndex(of: "=") else {
                throw Failure(.usage, "--env-file: a line is not name=value")
            }
            variables[String(line[..<sign])] = String(line[line.index(after: sign)...])
        }
        return variables
    }

    private func place(_ spec: inout JSONObject) throws(Failure) {
        guard strategy != nil || !nodeLabel.isEmpty else { return }
        var placement = spec["placement"]?.asObject ?? [:]
        if let strategy {
            guard ["spread", "pack"].contains(strategy) else {
                throw Failure(.usage, "--strategy must be spread or pack, not \"\(strategy)\"")
            }
            placement["strategy"] = .string(strategy)
        }
        if !nodeLabel.isEmpty {
            placement["labels"] = nil
            placement.put(nodeLabel.map, into: "labels")
        }
        spec["placement"] = .object(placement)
    }
}

extension JSONObject {
    /// Texts into an object that is a member of this one, over those that are there.
    fileprivate mutating func put(_ texts: [String: String], into key: String) {
        var object = self[key]?.asObject ?? [:]
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) { object[name] = .string(text) }
        self[key] = .object(object)
    }

    /// Takes a member away, or with a point in its name a member of a member.
    fileprivate mutating func takeAway(_ name: String) throws(Failure) {
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            guard self[name] != nil else { throw Failure(.usage, "--unset: the plan has no \(name)") }
            self[name] = nil
            return
        }
        guard var object = self[parts[0]]?.asObject, object[parts[1]] != nil else {
            throw Failure(.usage, "--unset: the plan has no \(name)")
        }
        object[parts[1]] = nil
        self[parts[0]] = .object(object)
    }
}

/// A plan in a file: its fields alone, or as `plan show -o json` prints it.
struct PlanFile {
    let product: String?
    let fields: JSONObject

    static func read(_ path: String) throws(Failure) -> PlanFile {
        let text = try LocalFile.text(path, what: "--file")
        let name = path == "-" ? "standard input" : path
        let json: JSONValue
        do { json = try JSONParser.parse(Array(text.utf8)) } catch {
            throw Failure(.usage, "--file: \(name) is not a plan: \(error)")
        }
        guard let plan = json.asObject else {
            throw Failure(.usage, "--file: \(name) is not a plan: it is no JSON object")
        }
        // What is shown has the fields in `spec`, beside the name, the revision and times that are not the file's to say.
        guard let fields = plan["spec"]?.asObject else { return PlanFile(product: nil, fields: plan) }
        return PlanFile(product: plan["product"]?.asString, fields: fields)
    }
}
