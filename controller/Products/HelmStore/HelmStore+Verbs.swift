import ControllerCore
import Saga
import Store
import WireProtocol

extension HelmStore {
    static let verbs: [ProductVerb] = [
        verb(
            .provision, "Makes a namespace, installs the shop in it, and waits until it is up.", ProvisionStore.saga,
            conclude: ProvisionStore.conclude),
        verb(.suspend, "Scales the shop to nothing and keeps everything.", SuspendStore.saga),
        verb(.resume, "Brings a suspended shop back.", ResumeStore.saga),
        verb(
            .upgrade, "Gives the shop another plan, chart or version of its engine.", UpgradeStore.saga,
            conclude: UpgradeStore.conclude),
        verb(.repair, "Frees a release that is stuck, and puts it right.", RepairStore.saga),
        verb(
            .backUp, "Dumps database and files, and removes backups beyond the retention.", BackUpStore.saga,
            settle: BackUpStore.settle),
        verb(
            RemoveStoreBackup.verb, "Removes a backup.", RemoveStoreBackup.saga, parameters: oneBackup),
        verb(
            RestoreStore.verb, "Takes the shop back to a backup, in place; what came since is lost.",
            RestoreStore.saga, parameters: anyBackup, conclude: RestoreStore.conclude),
        // A removal must work whatever the specification says, and needs nothing of it.
        verb(
            .terminate, "Removes the shop with its data, backups and names.", TerminateStore.saga,
            conclude: TerminateStore.conclude, needsSpec: false),
    ]

    private static func verb(
        _ verb: Verb, _ summary: String, _ saga: SagaDefinition<StoreScope>, parameters: VerbParameters = .none,
        conclude: @escaping ProductVerb.Conclusion = StoreSteps.note,
        settle: @escaping ProductVerb.Settlement = { (_, _, _, _) throws(StoreError) in }, needsSpec: Bool = true
    ) -> ProductVerb {
        ProductVerb(
            verb, summary: summary, parameters: parameters, saga: saga,
            scope: { scope in
                do throws(CoreError) {
                    return StoreScope(scope: scope, spec: try StoreSpec(json: scope.service.spec))
                } catch {
                    guard !needsSpec else { throw error }
                    return StoreScope(scope: scope, spec: .none)
                }
            }, conclude: conclude, settle: settle)
    }

    private static let anyBackup = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false,
            "properties": [
                "backup": [
                    "type": "string", "maxLength": 64,
                    "description": "One of the service's own backups, by id or name; the newest without it.",
                ]
            ],
        ],
        read: { fields throws(CoreError) in try readBackup(fields) })

    private static let oneBackup = VerbParameters(
        schema: anyBackup.schema.merged(with: ["required": ["backup"]]),
        read: { fields throws(CoreError) in try readBackup(fields) })

    private static func readBackup(_ fields: JSONObject) throws(CoreError) -> JSONObject {
        guard let name = fields["backup"]?.asString else { return [:] }
        guard (1...64).contains(name.utf8.count) else {
            throw .invalid(field: "parameters.backup", problem: "must be the id or the name of a backup")
        }
        return ["backup": .string(name)]
    }
}
