import APIModels
import ArgumentParser
import WireProtocol

struct PlanImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract:
            "Create plans, or change them, from files that hold name, product and fields, as in packaging/catalog.")
    @Argument(help: "JSON files, each with name, product and spec; - for standard input.") var files: [String]
    @Option(
        name: .customLong("set"),
        help: "A field that is to be other than the files have it, name=value; may be given again.")
    var fields: [FieldValue] = []
    @OptionGroup var common: CommonOptions

    func run() async throws {
        // Nothing is changed before all of them can be read.
        let wanted = try files.map { file throws(Failure) in try CataloguePlan(file) }
        let controller = try Controller.connect()
        var plans: [Plan] = []
        for file in wanted {
            var spec = file.spec
            for field in fields { spec[field.name] = field.value }
            let path = "/api/v1/plans/\(PercentEncoding.encode(file.name))"
            let seen: Sighting<Plan> = try await controller.look(path, "plan \(file.name)")
            let change = PlanChange(product: file.product, spec: .object(spec))
            plans.append(try await controller.change("PUT", path, change, if: seen.condition))
        }
        try common.output.list(plans) { plans in
            var table = Table("name", "product", "revision")
            for plan in plans { table.add(plan.name, plan.product, String(plan.revision)) }
            return table
        }
    }
}

/// A plan as a file has it.
struct CataloguePlan {
    let name: String
    let product: String?
    let spec: JSONObject

    init(_ path: String) throws(Failure) { try self.init(LocalFile.text(path, what: path), path) }

    init(_ text: String, _ path: String) throws(Failure) {
        do {
            guard let fields = try JSONParser.parse(Array(text.utf8)).asObject else {
                throw Failure(.usage, "\(path) is not a plan: it is no JSON object")
            }
            try fields.allowOnly(["name", "product", "spec"])
            name = try fields.string("name")
            product = try fields.optionalString("product")
            spec = try fields.object("spec")
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.usage, "\(path) is not a plan with name, product and spec: \(error)")
        }
    }
}
