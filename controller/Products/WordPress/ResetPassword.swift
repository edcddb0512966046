import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Gives an administrator of the site another password. Parameters `password`, which is forgotten when the operation has ended, and
/// `user`; without it, the oldest administrator.
enum ResetPassword {
    static let verb = Verb("reset-password", from: [.running])
    static let saga = SagaDefinition<SiteScope>(
        kind: verb.name,
        steps: SiteSteps.opening() + [SagaStep(password, deadline: .seconds(300), act: set)])

    static let password = StepKey<Observation>("password")

    private static func set(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let secrets = scope.operation.parameters[OperationType.secretsKey]
        guard let password = secrets?["password"]?.asString else {
            throw .refused("invalid", "the password is not there any more: ask again")
        }
        let user = scope.operation.parameters["user"]?.asString
        return Observation(try await scope.setPassword(call.output(SiteSteps.guest), password, user: user, call))
    }
}
