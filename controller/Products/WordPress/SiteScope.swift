import ControllerCore
import Saga
import Store
import WireProtocol

/// What the steps of a site's sagas work in.
struct SiteScope: ServiceWork {
    let scope: ServiceScope
    let spec: WordPressSpec
}

extension SiteScope {
    /// What an upgrade makes of it; what it is, for any other operation.
    func wanted() throws(StepFailure) -> WordPressSpec {
        guard let json = operation.parameters["spec"]?.asObject else { return spec }
        do throws(CoreError) { return try WordPressSpec(json: json) } catch {
            throw StepFailure(.final, code: "invalid", message: "\(error)", effect: .none)
        }
    }

    /// The place that the service holds.
    func place() async throws(StepFailure) -> SitePlace {
        guard let place = try await placeIfAny() else {
            throw StepFailure(
                .final, code: "not_placed", message: "the service holds no place on any node", effect: .none)
        }
        return place
    }

    func placeIfAny() async throws(StepFailure) -> SitePlace? {
        let id = service.id
        return try await locally { store throws(StoreError) in .success(try store.site(of: id)) }
    }

    /// A line in the operation's log.
    func note(_ call: StepCall, _ text: String) { scope.note(call.step, text) }
}

extension StepCall {
    /// The same step, under the id of another of its commands.
    func part(_ name: String) -> StepCall {
        StepCall(
            operation: operation, step: step, command: "\(command).\(name)", attempt: attempt, unwinding: unwinding,
            deadline: deadline, context: context, outputs: outputs)
    }

    /// What an earlier step found, where it came so far.
    func found<Output>(_ key: StepKey<Output>) -> Output? {
        outputs[key.name].flatMap { try? Output(json: $0) }
    }
}

extension StepFailure {
    static func refused(_ code: String, _ message: String, _ resource: String? = nil) -> StepFailure {
        StepFailure(.final, code: code, message: message, resource: resource, effect: .none)
    }
}
