import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Puts right what is not as ordered, on the site that is there. It never makes a site: one that is missing is a loss of data, and an
/// empty one in its place would hide that.
enum RepairPanelSite {
    static let saga = SagaDefinition<PanelScope>(
        kind: Verb.repair.name, deadline: .seconds(4 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(aliases, retry: persistent, deadline: PanelScope.patience, act: setAliases),
            SagaStep(modes, weight: .auxiliary, deadline: PanelScope.patience, act: setModes),
            SagaStep(power, retry: persistent, deadline: PanelScope.patience, act: resume),
            SagaStep(
                ProvisionPanelSite.certificate, weight: .auxiliary, deadline: PanelScope.patience,
                act: CompletePanelSite.certify),
            SagaStep(ProvisionPanelSite.analytics, weight: .auxiliary, act: CompletePanelSite.count),
        ])

    private static let persistent = ProvisionPanelSite.persistent
    static let aliases = StepKey<NoOutput>("aliases")
    static let modes = StepKey<NoOutput>("modes")
    static let power = StepKey<NoOutput>("power")

    private static func setAliases(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.serve(scope.servedNames(), call.output(PanelSteps.place), call)
        return NoOutput()
    }

    private static func setModes(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        _ = try await scope.order("site.permissions", call.output(PanelSteps.place), call)
        return NoOutput()
    }

    private static func resume(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await SuspendPanelSite.resume(scope, call)
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        PanelSteps.note(&service, operation, outputs: outputs)
        PanelSteps.noteWishes(&service, operation, outputs: outputs)
    }
}

/// Lets nginx and PHP read the site's settings anew.
enum RestartPanelSite {
    static let saga = SagaDefinition<PanelScope>(
        kind: Verb.restart.name, deadline: .seconds(2 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(power, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience, act: restart)
        ])

    static let power = StepKey<NoOutput>("power")

    private static func restart(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        _ = try await scope.order("site.restart", call.output(PanelSteps.place), call)
        return NoOutput()
    }
}

/// Gets what the site is still without. What cannot be had yet is no failure: it stays wanted.
enum CompletePanelSite {
    static let verb = Verb("complete", from: [.running])
    static let saga = SagaDefinition<PanelScope>(
        kind: verb.name, deadline: .seconds(4 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(
                ProvisionPanelSite.certificate, weight: .auxiliary, deadline: PanelScope.patience, act: certify),
            SagaStep(ProvisionPanelSite.analytics, weight: .auxiliary, act: count),
        ])

    static func certify(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Wish {
        try await scope.certify(call.output(PanelSteps.place), scope.servedNames(), call)
    }

    static func count(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Wish {
        try await scope.count(call.output(PanelSteps.place), call)
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        PanelSteps.noteWishes(&service, operation, outputs: outputs)
    }
}

/// Gives the site's account another password. Parameter `password`.
enum SitePassword {
    static let verb = Verb("reset-password", from: [.running, .suspended])
    static let saga = SagaDefinition<PanelScope>(
        kind: verb.name, deadline: .seconds(2 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(password, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience, act: set)
        ])

    static let password = StepKey<NoOutput>("password")

    private static func set(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let secrets: JSONObject = ["password": scope.secret("password")]
        _ = try await scope.order("site.password", call.output(PanelSteps.place), [:], secrets: secrets, call)
        return NoOutput()
    }

    /// Whoever makes the site anew needs it.
    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        guard let password = operation.parameters[OperationType.secretsKey]?["password"] else { return }
        var secrets = service.address["secrets"]?.asObject ?? [:]
        secrets["user"] = password
        service.address["secrets"] = .object(secrets)
    }

    static let parameters = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false, "required": ["password"],
            "properties": ["password": PanelWords.passwordSchema],
        ],
        read: { fields throws(CoreError) in
            [OperationType.secretsKey: ["password": .string(try PanelWords.password(fields))]]
        })
}

/// What people say with verbs.
enum PanelWords {
    static let passwordSchema: JSONValue = [
        "type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[A-Za-z0-9]{8,128}$", "writeOnly": true,
    ]

    /// The panel's tool takes nothing else.
    static func password(_ fields: JSONObject) throws(CoreError) -> String {
        let text = fields["password"]?.asString ?? ""
        guard (8...128).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) })
        else { throw .invalid(field: "parameters.password", problem: "must be 8 to 128 letters and digits") }
        return text
    }
}

extension PanelScope {
    /// What came with the operation, and is gone when it has ended.
    func secret(_ name: String) -> JSONValue {
        operation.parameters[OperationType.secretsKey]?[name] ?? .null
    }
}
