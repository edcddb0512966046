import APIModels
import ArgumentParser
import Model
import WireProtocol

struct PlanCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "What customers can buy.",
        subcommands: [
            PlanList.self, PlanShow.self, PlanApply.self, PlanImport.self, PlanSchema.self, PlanDelete.self,
        ])
}

struct PlanList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All plans.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let plans: [Plan] = try await Controller.connect().all("/api/v1/plans")
        try common.output.list(plans) { plans in
            var table = Table(
                "name", "product", "revision", "image", "cpu", "memory", "disk", "age", "state",
                yielding: ["revision", "age"])
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
        Terminal.note("Plan \(name) is retired: it is offered no more, and shown as it was.")
    }
}
