package import ControllerCore
import Saga
import Store
package import WireProtocol

/// What an agent observed, as the output of a step.
package struct Observation: StepOutput, Hashable {
    package var object: JSONObject
    package init(_ object: JSONObject) { self.object = object }
    package init(json: JSONValue) { object = json.asObject ?? [:] }
    package var json: JSONValue { .object(object) }
}

extension ServiceLook {
    /// Asks a node for what there is, changing nothing. Nil when it gives no answer.
    package func ask(
        _ node: String, _ driver: String, _ action: String, _ resource: String, _ arguments: JSONObject
    ) async -> CommandResult? {
        let look = await dependencies.looks.ask(question(driver, action, resource, arguments), of: node, by: name)
        return look.missing == nil ? look.result : nil
    }

    /// A question about the service, not older than the last command for it.
    package func question(
        _ driver: String, _ action: String, _ resource: String, _ arguments: JSONObject
    ) -> Question {
        Question(
            driver: driver, action: action, resource: resource, arguments: arguments,
            generation: service.generation * 2 + 1)
    }
}
