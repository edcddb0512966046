import ControllerCore
import Saga
import Store
import WireProtocol

extension WordPress {
    static let verbs: [ProductVerb] = [
        verb(
            .provision, "Makes a container, installs WordPress in it, and leads a name to it.", ProvisionSite.saga,
            conclude: ProvisionSite.conclude),
        verb(.suspend, "Stops the container and keeps everything.", SuspendSite.saga),
        verb(.resume, "Starts the container of a suspended site again.", ResumeSite.saga),
        verb(
            .upgrade, "Changes memory, cores, disk and quotas; disks only grow.", UpgradeSite.saga,
            conclude: UpgradeSite.conclude),
        verb(
            .repair, "Puts container, installation, names and route right, and starts the site.", RepairSite.saga,
            conclude: RepairSite.conclude),
        verb(.restart, "Ends the container and starts it again.", RestartSite.saga),
        verb(
            ResetPassword.verb, "Gives an administrator of the site another password.", ResetPassword.saga,
            parameters: passwords),
        verb(
            LoginSite.verb, "Lets an administrator in once, by a token.", LoginSite.saga,
            parameters: LoginSite.parameters),
        verb(
            SnapshotSite.verb, "Keeps the present state under a name.", SnapshotSite.saga,
            parameters: snapshots, conclude: SnapshotSite.conclude),
        verb(
            RollBackSite.verb, "Takes the site back to a snapshot; what came since is lost.", RollBackSite.saga,
            parameters: snapshots),
        verb(
            RemoveSnapshot.verb, "Removes a snapshot.", RemoveSnapshot.saga, parameters: snapshots,
            conclude: RemoveSnapshot.conclude),
        verb(
            .backUp, "Backs the container up, and removes backups beyond the retention.", BackUpSite.saga,
            settle: BackUpSite.settle),
        verb(
            RemoveBackup.verb, "Removes a backup.", RemoveBackup.saga, parameters: oneBackup,
            conclude: { _, _, _ in }, settle: RemoveBackup.settle),
        verb(
            .restore, "Takes the site back to a backup, in place; what came since is lost.", RestoreSite.saga,
            parameters: anyBackup, conclude: RestoreSite.conclude),
        verb(
            .move, "Moves the container to another node of its cluster, the best one unless it is named.",
            MoveSite.saga, parameters: nodes,
            conclude: MoveSite.conclude),
        verb(
            AddDomain.verb, "Takes up a domain of the customer's own.", AddDomain.saga,
            parameters: SiteDomain.parameters, conclude: { _, _, _ in }, settle: AddDomain.settle),
        verb(
            CheckDomain.verb, "Looks where a domain stands, and serves it once it is proven.", CheckDomain.saga,
            parameters: SiteDomain.parameters, conclude: CheckDomain.conclude, settle: CheckDomain.settle),
        verb(
            RemoveDomain.verb, "Gives a domain up.", RemoveDomain.saga, parameters: SiteDomain.parameters,
            conclude: RemoveDomain.conclude),
        // A removal must work whatever the specification says, and needs nothing of it.
        verb(
            .terminate, "Removes the site with its container, snapshots, backups, domains and names.",
            TerminateSite.saga, conclude: TerminateSite.conclude, needsSpec: false),
    ]

    private static func verb(
        _ verb: Verb, _ summary: String, _ saga: SagaDefinition<SiteScope>, parameters: VerbParameters = .none,
        conclude: @escaping ProductVerb.Conclusion = SiteSteps.noteGuest,
        settle: @escaping ProductVerb.Settlement = { (_, _, _, _) throws(StoreError) in }, needsSpec: Bool = true
    ) -> ProductVerb {
        ProductVerb(
            verb, summary: summary, parameters: parameters, saga: saga,
            scope: { scope in
                do throws(CoreError) {
                    return SiteScope(scope: scope, spec: try WordPressSpec(json: scope.service.spec))
                } catch {
                    guard !needsSpec else { throw error }
                    return SiteScope(scope: scope, spec: .none)
                }
            }, conclude: conclude, settle: settle)
    }

    // MARK: parameters

    private static let snapshots = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false, "required": ["snapshot"],
            "properties": ["snapshot": ["type": "string", "pattern": snapshotPattern]],
        ],
        read: { fields throws(CoreError) in
            guard let name = fields["snapshot"]?.asString, SnapshotName.accepts(name) else {
                throw .invalid(field: "parameters.snapshot", problem: "must be \(SnapshotName.expectation)")
            }
            return ["snapshot": .string(name)]
        })

    private static let anyBackup = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false,
            "properties": [
                "backup": [
                    "type": "string", "maxLength": 300,
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
        guard (1...300).contains(name.utf8.count) else {
            throw .invalid(field: "parameters.backup", problem: "must be the id or the name of a backup")
        }
        return ["backup": .string(name)]
    }

    private static let nodes = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false,
            "properties": [
                "node": [
                    "type": "string", "maxLength": 128,
                    "description": "Name or id of the node; the best one of the cluster without it.",
                ]
            ],
        ],
        read: { fields throws(CoreError) in
            guard fields["node"] != nil else { return [:] }
            guard let name = fields["node"]?.asString, (1...128).contains(name.utf8.count) else {
                throw .invalid(field: "parameters.node", problem: "must be the name or the id of a node")
            }
            return ["node": .string(name)]
        })

    private static let passwords = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false, "required": ["password"],
            "properties": [
                "password": ["type": "string", "minLength": 8, "maxLength": 200, "writeOnly": true],
                "user": [
                    "type": "string", "maxLength": 60,
                    "description": "The account; the oldest administrator without it.",
                ],
            ],
        ],
        read: { fields throws(CoreError) in
            do throws(FieldError) {
                guard let password = try WordPressSpec.line(fields, "password", most: 200), password.utf8.count >= 8
                else { throw FieldError(path: "password", problem: .value(expected: "at least 8 bytes")) }
                // What stands there is gone when the operation has ended.
                var read: JSONObject = [OperationType.secretsKey: ["password": .string(password)]]
                read["user"] = try WordPressSpec.line(fields, "user", most: 60).map { .string($0) }
                return read
            } catch {
                throw .invalid(field: "parameters.\(error.path)", problem: error.sentence)
            }
        })
}
