import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Lets whoever has a token into the site's administration once, within five minutes. Parameters `token`, which is forgotten when the
/// operation has ended and of which the site keeps a digest alone, and `user`; without it, the oldest administrator.
enum LoginSite {
    static let verb = Verb("login", from: [.running])
    static let saga = SagaDefinition<SiteScope>(
        kind: verb.name, steps: SiteSteps.opening() + [SagaStep(token, deadline: .seconds(300), act: set)])

    static let token = StepKey<Observation>("token")

    private static func set(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        guard let token = scope.operation.parameters[OperationType.secretsKey]?["token"]?.asString else {
            throw .refused("invalid", "the token is not there any more: ask again")
        }
        let user = scope.operation.parameters["user"]?.asString
        return Observation(try await scope.admit(call.output(SiteSteps.guest), token, user: user, call))
    }

    static let parameters = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false, "required": ["token"],
            "properties": [
                "token": ["type": "string", "pattern": "^[A-Za-z0-9]{43}$", "writeOnly": true],
                "user": [
                    "type": "string", "maxLength": 60,
                    "description": "The account; the oldest administrator without it.",
                ],
            ],
        ],
        read: { fields throws(CoreError) in
            do throws(FieldError) {
                guard let token = fields["token"]?.asString, token.utf8.count == 43,
                    token.utf8.allSatisfy(ProxmoxStorage.isLetter)
                else { throw FieldError(path: "token", problem: .value(expected: "43 letters and digits")) }
                var read: JSONObject = [OperationType.secretsKey: ["token": .string(token)]]
                read["user"] = try WordPressSpec.line(fields, "user", most: 60).map { .string($0) }
                return read
            } catch {
                throw .invalid(field: "parameters.\(error.path)", problem: error.sentence)
            }
        })
}
