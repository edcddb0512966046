package import DriverKit
import WireProtocol

/// A driver that has guests which recipes set up.
package protocol RecipeHost: Driver {
    var recipes: RecipeShelf { get }
    /// Runs a command in the guest that a call is about; its input is the context's, its outputs go there.
    /// - Returns: the command's exit code.
    /// - Throws: when the guest is nobody's of ours or does not run, when nothing was begun, and when it was cut off.
    func enter(
        _ call: ActionCall, _ command: [String], _ context: ActionContext
    ) async throws(DriverError) -> Int64
}

extension RecipeHost {
    /// What such a driver can do with recipes. It says itself how a call names its guest.
    package static var recipeActions: [Action<Self>] {
        [
            Action(ActionSpec("recipe.list", .observe, summary: "lists the recipes that lie on this node")) {
                (driver, call, _) throws(DriverError) in
                try ArgumentReader(call.arguments).finish()
                return ActionOutcome(
                    changed: false, observed: ["recipes": .array(driver.recipes.list().map(JSONValue.object))])
            },
            Action(
                ActionSpec(
                    "recipe.run", .mutate, defaultDeadline: .seconds(14_400),
                    summary: "sets a guest up by a recipe of this node, or does another thing that the recipe knows",
                    slow: true)
            ) { (driver, call, context) throws(DriverError) in
                try await RecipeOrder(call, driver).run(call, context, on: driver).outcome()
            },
            Action(
                ActionSpec(
                    "recipe.look", .observe, defaultDeadline: .seconds(600),
                    summary: "looks into a guest by a recipe: its check, or a verb that changes nothing")
            ) { (driver, call, context) throws(DriverError) in
                let order = try RecipeOrder(call, driver)
                guard order.verb.check != nil || !order.verb.changes else {
                    throw .invalidArgument("verb", "changes the guest: recipe.run does it")
                }
                return try await order.run(call, context, on: driver).look()
            },
        ]
    }

    /// What they take, by their names.
    /// - Parameter guest: the argument that names the guest.
    package static func recipeArguments(_ guest: Argument) -> [String: [Argument]] {
        let order: [Argument] = [
            guest, .text("recipe", RecipeShelf.nameForm, "which recipe of the node"),
            .text("verb", .parameter, "what it is to do").or(.string(Recipe.install)),
            .text("version", "refused when the node has another one of the recipe").optional,
            .map("parameters", .parameter, of: .any, "what the recipe takes, as recipe.list tells").optional,
        ]
        return ["recipe.list": [], "recipe.run": order, "recipe.look": order + [.mark]]
    }

    package static var recipeSecrets: [String: [Argument]] {
        let secrets: [Argument] = [
            .map("parameters", .parameter, of: .text(.free(4096)), "what the recipe takes and nobody may see").optional
        ]
        return ["recipe.run": secrets, "recipe.look": secrets]
    }
}

extension TextForm {
    fileprivate static let parameter = TextForm(RecipeFile.nameExpectation, RecipeFile.isName)
}

/// What a call asks of which recipe, all of it judged before anything is begun.
private struct RecipeOrder {
    let recipe: Recipe
    let verb: RecipeVerb
    let values: [(name: String, value: String)]

    init(_ call: ActionCall, _ host: some RecipeHost) throws(DriverError) {
        recipe = try host.recipes.recipe(call.arguments["recipe"]?.asString ?? "")
        if let wanted = call.arguments["version"]?.asString, wanted != recipe.version {
            throw DriverError(
                .conflict, "this node has version \(recipe.version) of recipe \(recipe.name), not \(wanted.prefix(32))")
        }
        verb = try recipe.verb(call.arguments["verb"]?.asString ?? Recipe.install)
        values = try verb.reading(
            call.arguments["parameters"]?.asObject ?? [:], secrets: call.secrets["parameters"]?.asObject ?? [:])
    }

    func run<Host>(_ call: ActionCall, _ context: ActionContext, on host: Host) -> RecipeRun<Host> {
        RecipeRun(host: host, call: call, context: context, recipe: recipe, verb: verb, values: values)
    }
}

extension Sequence {
    /// Runs the row of the call's name, a command in a guest, past the comparison of marks: the call that leads to it has
    /// been compared.
    package func exitCode<Subject>(
        _ call: ActionCall, on subject: Subject, _ context: ActionContext
    ) async throws(DriverError) -> Int64 where Element == Action<Subject> {
        guard let row = first(where: { $0.spec.name == call.action }) else {
            throw DriverError(.unsupported, "this driver runs no command in a guest")
        }
        let outcome = try await row.body(subject, call, context)
        guard let code = outcome.observed["exit_code"]?.asInteger else {
            throw DriverError(.unknownOutcome, "nobody tells how the command in the guest ended")
        }
        return code
    }
}
