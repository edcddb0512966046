import APIModels
import ArgumentParser
import Model
import WireProtocol

struct PlanCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "What customers can buy.",
        subcommands: [PlanList.self, PlanShow.self, PlanApply.self, PlanSchema.self, PlanDelete.self])
}

struct PlanList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All plans.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let plans: [Plan] = try await Controller.connect().all("/api/v1/plans")
        try common.output.list(plans) { plans in
            var table = Table("name", "product", "revision", "image", "cpu", "memory", "disk", "age", "state")
            for plan in plans {
                table.add(
                    plan.name, plan.product, String(plan.revision), PlanCard.field("image", of: plan),
                    PlanCard.field("cpu_millis", of: plan), PlanCard.field("memory_bytes", of: plan),
                    PlanCard.field("disk_bytes", of: plan), Readable.age(plan.changedAt),
                    plan.retiredAt == nil ? "offered" : "retired")
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

/// One plan for people: whatever fields its product has.
enum PlanCard {
    private static let words = [
        "cpu_millis": "cores", "memory_bytes": "memory", "disk_bytes": "disk", "env": "environment",
    ]

    static func text(_ plan: Plan) -> String {
        var card = Card()
        card.add("name", plan.name)
        card.add("product", plan.product)
        card.add("revision", String(plan.revision))
        for member in plan.spec.asObject?.members ?? [] {
            add(member.value, words[member.key] ?? member.key.replacing("_", with: " "), member.key, to: &card)
        }
        card.add("changed", plan.changedAt.iso8601)
        card.add("retired", plan.retiredAt?.iso8601)
        return card.text
    }

    private static func add(_ value: JSONValue, _ label: String, _ name: String, to card: inout Card) {
        guard case .object(let object) = value, object.members.contains(where: { $0.value.asString == nil }) else {
            let text = text(value, name)
            return card.add(label, text.isEmpty ? nil : text)
        }
        for member in object.members { add(member.value, "\(label) \(member.key)", member.key, to: &card) }
    }

    /// One field of a plan, empty where its product has none of that name.
    static func field(_ name: String, of plan: Plan) -> String { plan.spec[name].map { text($0, name) } ?? "" }

    /// Units follow from the ends of names.
    private static func text(_ value: JSONValue, _ name: String) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number) where name.hasSuffix("_bytes"): Readable.bytes(number)
        case .integer(let number) where name.hasSuffix("_millis"): Readable.cores(number)
        case .array(let items): items.map { text($0, "") }.joined(separator: " ")
        case .object(let object):
            object.members.map { "\($0.key)=\(text($0.value, $0.key))" }.joined(separator: ", ")
        default: value.text
        }
    }
}

struct PlanSchema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "The fields that plans of a product have, as a JSON Schema; without a name, the products.")
    @Argument(help: "The product's name.") var product: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        guard let product else {
            // What can be sold is short: it comes whole, without pages.
            let listing: Listing<ProductView> = try await controller.get("/api/v1/products")
            return try common.output.list(listing.items) { products in
                var table = Table("name", "verbs", "summary")
                for product in products {
                    table.add(product.name, product.verbs.map(\.name).joined(separator: ","), product.summary)
                }
                return table
            }
        }
        let found: ProductView = try await controller.get("/api/v1/products/\(PercentEncoding.encode(product))")
        try common.output.show(found) { PrettyJSON.text($0.schema ?? [:]) + "\n" }
    }
}

struct PlanApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Create a plan, or change it, from a JSON file or from flags.")
    @Argument(help: "The plan's name.") var name: String
    @Option(help: "What kind of thing it sells; container by default. innctl plan schema tells its fields.")
    var product: String?
    @Option(name: [.short, .long], help: "A JSON file with the plan's fields; - for standard input.") var file: String?
    @Option(name: .customLong("set"), help: "Any field of the product, name=value; may be given again.")
    var fields: [FieldValue] = []
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
        let wanted = PlanChange(product: product, spec: .object(try spec()))
        let seen: Sighting<Plan> = try await controller.look(path, "plan \(name)")
        if let revision, revision != seen.found?.revision ?? 0 { throw seen.condition.broken }
        let plan: Plan = try await controller.change("PUT", path, wanted, if: seen.condition)
        try common.output.show(plan, PlanCard.text)
    }

    private func spec() throws(Failure) -> JSONObject {
        var spec = if let file { try Self.read(file) } else { JSONObject() }
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
        guard file == nil, fields.isEmpty, product == nil else { return spec }
        for name in ["image", "memory_bytes", "cpu_millis", "disk_bytes"] where spec[name] == nil {
            throw Failure(.usage, "give --file, or at least --image, --memory, --cpu and --disk")
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
            guard PlacementBody.Strategy(rawValue: strategy) != nil else {
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

    private static func read(_ path: String) throws(Failure) -> JSONObject {
        let text = try LocalFile.text(path, what: "--file")
        do {
            guard let fields = try JSONParser.parse(Array(text.utf8)).asObject else {
                throw Failure(.usage, "\(path) is not a plan: it is no JSON object")
            }
            return fields
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.usage, "\(path) is not a plan: \(error)")
        }
    }
}

extension JSONObject {
    /// Texts into an object that is a member of this one, over those that are there.
    fileprivate mutating func put(_ texts: [String: String], into key: String) {
        var object = self[key]?.asObject ?? [:]
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) { object[name] = .string(text) }
        self[key] = .object(object)
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
