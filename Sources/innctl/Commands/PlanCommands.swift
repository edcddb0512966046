import APIModels
import ArgumentParser
import Model
import WireProtocol

struct PlanCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "What customers can buy.",
        subcommands: [PlanList.self, PlanShow.self, PlanApply.self, PlanDelete.self])
}

struct PlanList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All plans.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let plans: [Plan] = try await Controller.connect().all("/api/v1/plans")
        try common.output.list(plans) { plans in
            var table = Table("name", "revision", "image", "cpu", "memory", "disk", "age", "state")
            for plan in plans {
                table.add(
                    plan.name, String(plan.revision), plan.spec.image, Readable.cores(plan.spec.cpuMillis),
                    Readable.bytes(plan.spec.memoryBytes), Readable.bytes(plan.spec.diskBytes),
                    Readable.age(plan.changedAt), plan.retiredAt == nil ? "offered" : "retired")
            }
            return table
        }
    }
}

struct PlanShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One plan.")
    @Argument(help: "The plan's name.") var name: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let plan: Plan = try await Controller.connect().get("/api/v1/plans/\(PercentEncoding.encode(name))")
        try common.output.show(plan, PlanCard.text)
    }
}

/// One plan for people.
enum PlanCard {
    static func text(_ plan: Plan) -> String {
        var card = Card()
        card.add("name", plan.name)
        card.add("revision", String(plan.revision))
        card.add("image", plan.spec.image)
        card.add("command", plan.spec.command?.joined(separator: " "))
        card.add("cores", Readable.cores(plan.spec.cpuMillis))
        card.add("memory", Readable.bytes(plan.spec.memoryBytes))
        card.add("disk", Readable.bytes(plan.spec.diskBytes))
        card.add("network", plan.spec.network)
        card.add("mount path", plan.spec.mountPath)
        card.add("image tar", plan.spec.imageTar)
        card.add("pool", plan.spec.pool)
        card.add("environment", plan.spec.env.map(Readable.labels))
        card.add("placement", plan.spec.placement?.strategy?.rawValue)
        card.add("node labels", plan.spec.placement?.labels.map(Readable.labels))
        card.add("changed", plan.changedAt.iso8601)
        card.add("retired", plan.retiredAt?.iso8601)
        return card.text
    }
}

struct PlanApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Create a plan, or change it, from a JSON file or from flags.")
    @Argument(help: "The plan's name.") var name: String
    @Option(name: [.short, .long], help: "A JSON file with the plan's spec; - for standard input.") var file: String?
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
        let wanted = try body()
        let seen: Sighting<Plan> = try await controller.look(path, "plan \(name)")
        if let revision, revision != seen.found?.revision ?? 0 { throw seen.condition.broken }
        let plan: Plan = try await controller.change("PUT", path, wanted, if: seen.condition)
        try common.output.show(plan, PlanCard.text)
    }

    private func body() throws(Failure) -> PlanBody {
        var body = if let file { try Self.read(file) } else { try fromFlags() }
        if let memory { body.memoryBytes = memory.bytes }
        if let cpu { body.cpuMillis = cpu.millis }
        if let disk { body.diskBytes = disk.bytes }
        body.image = image ?? body.image
        body.network = network ?? body.network
        body.mountPath = mountPath ?? body.mountPath
        body.imageTar = imageTar ?? body.imageTar
        body.pool = pool ?? body.pool
        if let envFile { body.env = (body.env ?? [:]).merging(try Self.variables(envFile)) { _, line in line } }
        if !env.isEmpty { body.env = (body.env ?? [:]).merging(env.map) { _, flag in flag } }
        if !command.isEmpty { body.command = command }
        return try placed(body)
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

    private func placed(_ body: PlanBody) throws(Failure) -> PlanBody {
        var body = body
        if let strategy {
            guard let known = PlacementBody.Strategy(rawValue: strategy) else {
                throw Failure(.usage, "--strategy must be spread or pack, not \"\(strategy)\"")
            }
            body.placement = PlacementBody(strategy: known, labels: body.placement?.labels)
        }
        if !nodeLabel.isEmpty {
            body.placement = PlacementBody(strategy: body.placement?.strategy, labels: nodeLabel.map)
        }
        return body
    }

    private func fromFlags() throws(Failure) -> PlanBody {
        guard let image, let memory, let cpu, let disk else {
            throw Failure(.usage, "give --file, or at least --image, --memory, --cpu and --disk")
        }
        return PlanBody(image: image, memoryBytes: memory.bytes, cpuMillis: cpu.millis, diskBytes: disk.bytes)
    }

    private static func read(_ path: String) throws(Failure) -> PlanBody {
        let text = try LocalFile.text(path, what: "--file")
        do {
            let json = try JSONParser.parse(Array(text.utf8))
            return try BodyDecoder.model(PlanBody.self, from: json, unknownFields: .refused)
        } catch {
            throw Failure(.usage, "\(path) is not a plan: \(error)")
        }
    }
}

struct PlanDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Offer a plan no more. Services that have it keep what they were promised.",
        aliases: ["rm"])
    @Argument(help: "The plan's name.") var name: String
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        let controller = try Controller.connect()
        let path = "/api/v1/plans/\(PercentEncoding.encode(name))"
        let seen: Sighting<Plan> = try await controller.look(path, "plan \(name)")
        guard let plan = seen.found else { throw Failure(.notFound, "there is no plan \(name)") }
        try confirmation.ask("Plan \(name), in revision \(plan.revision), will be offered no more.")
        try await controller.change("DELETE", path, if: seen.condition)
        Terminal.note("Plan \(name) is deleted.")
    }
}
