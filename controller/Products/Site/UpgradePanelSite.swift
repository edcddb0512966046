import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// Changes quotas, and makes a PHP site anew with another version of PHP, for which the panel has no order: files and databases are
/// backed up and read to their end, the site is deleted, made again and filled. The way back is the same with the old version.
/// Parameter `spec`: the whole new specification.
enum UpgradePanelSite {
    static let saga = SagaDefinition<PanelScope>(
        kind: Verb.upgrade.name, deadline: .seconds(20 * 3600), unwindAllowance: .seconds(10 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(quota, act: checkQuotas),
            SagaStep(databases, retry: persistent, deadline: PanelScope.patience, act: listDatabases),
            SagaStep(power, retry: persistent, deadline: PanelScope.patience, act: suspend, undo: resume),
            SagaStep(backup, deadline: .seconds(6 * 3600), act: backUp, undo: removeBackup),
            SagaStep(rebuilt, deadline: .seconds(6 * 3600), act: rebuild, undo: rebuildOld),
            SagaStep(shown, retry: persistent, deadline: PanelScope.patience, act: show),
            SagaStep(
                ProvisionPanelSite.certificate, weight: .auxiliary, deadline: PanelScope.patience, act: certify),
            SagaStep(ProvisionPanelSite.analytics, weight: .auxiliary, act: count),
            SagaStep(left, weight: .auxiliary, retry: persistent, deadline: PanelScope.patience, act: clear),
        ])

    private static let persistent = ProvisionPanelSite.persistent
    static let quota = StepKey<NoOutput>("quota")
    static let databases = StepKey<NoOutput>("databases")
    static let power = StepKey<NoOutput>("power")
    static let backup = StepKey<NoOutput>("backup")
    static let rebuilt = StepKey<NoOutput>("rebuilt")
    static let shown = StepKey<PanelSight>("shown")
    static let left = StepKey<NoOutput>("left")

    // MARK: before

    private static func checkQuotas(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let (wanted, node) = (try scope.wanted(), try call.output(PanelSteps.place).node)
        let (own, names) = (try await scope.databases(on: node), try await scope.names())
        guard own.count <= wanted.databases else {
            throw .refused(
                "databases_in_use",
                "the site has \(own.count) databases, and \(wanted.databases) would be allowed: remove some")
        }
        guard names.count <= wanted.domains else {
            throw .refused(
                "domains_in_use",
                "the site has \(names.count) domains, and \(wanted.domains) would be allowed: remove some"
            )
        }
        return NoOutput()
    }

    /// What the panel deletes with the site must be known to us with its password, or nobody could make it again.
    private static func listDatabases(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard try scope.isRebuilt() else { return NoOutput() }
        let place = try call.output(PanelSteps.place)
        let request = ActionRequest(
            driver: "cloudpanel", action: "database.list", resource: "cloudpanel/database",
            arguments: ["domain": .string(place.domain)])
        let listed = try await scope.send(request, to: place.node, call)["databases"]?.asArray ?? []
        let known = Set(try await scope.databases(on: place.node).filter { scope.password(of: $0) != nil }.map(\.name))
        for one in listed {
            guard let name = one["database"]?.asString, !known.contains(name) else { continue }
            throw .refused(
                "unknown_database",
                "the database \(name.prefix(64)) was not made by Innkeeper: nobody knows its password, and another version of PHP would need it"
            )
        }
        return NoOutput()
    }

    /// Nothing is written between the backup and its return.
    private static func suspend(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard try scope.isRebuilt() else { return NoOutput() }
        return try await SuspendPanelSite.suspend(scope, call)
    }

    private static func resume(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        guard try scope.isRebuilt(), !wasSuspended(call) else { return }
        try await SuspendPanelSite.resume(scope, call)
    }

    private static func wasSuspended(_ call: StepCall) -> Bool { call.context["from"] == "suspended" }

    private static func backUp(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard try scope.isRebuilt() else { return NoOutput() }
        _ = try await scope.backUp(as: scope.rebuildName, call.output(PanelSteps.place), call)
        return NoOutput()
    }

    private static func removeBackup(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        guard try scope.isRebuilt() else { return }
        let (place, before) = (try call.output(PanelSteps.place), try call.output(PanelSteps.site))
        // It may be all that is left.
        guard try await scope.show(place, call)?.nonce == before.nonce else {
            return scope.note(call, "the backup \(scope.rebuildName) of before stays on the server")
        }
        try await scope.deleteBackup(scope.rebuildName, on: place.node, call)
    }

    // MARK: anew

    private static func rebuild(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard try scope.isRebuilt() else { return NoOutput() }
        try await scope.rebuild(as: scope.wanted(), call.output(PanelSteps.place), call.output(PanelSteps.site), call)
        return NoOutput()
    }

    /// The site of before is left alone as long as it is there.
    private static func rebuildOld(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        guard try scope.isRebuilt() else { return }
        let (place, before) = (try call.output(PanelSteps.place), try call.output(PanelSteps.site))
        let seen = try await scope.show(place, call)
        if let seen, seen.owner == scope.service.id, seen.nonce == before.nonce { return }
        if let seen, seen.owner == scope.service.id, seen.version != before.version {
            _ = try await scope.order("site.delete", place, ["user": .string(place.user)], call.part("delete"))
        }
        try await scope.fill(as: scope.spec, place, call)
        // Gone with the site; where it cannot be had now, the next look at the site gets it.
        _ = try await scope.certify(place, scope.servedNames(), call)
    }

    private static func show(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelSight {
        let place = try call.output(PanelSteps.place)
        if try scope.isRebuilt() {
            if wasSuspended(call) {
                _ = try await scope.order("site.suspend", place, call.part("suspend"))
            } else {
                _ = try await scope.order("site.resume", place, call.part("resume"))
            }
        }
        return try await scope.site(place, call)
    }

    private static func certify(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Wish {
        try await scope.upgraded().certify(call.output(PanelSteps.place), scope.servedNames(), call)
    }

    private static func count(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Wish {
        try await scope.upgraded().count(call.output(PanelSteps.place), call)
    }

    private static func clear(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard try scope.isRebuilt() else { return NoOutput() }
        try await scope.deleteBackup(scope.rebuildName, on: call.output(PanelSteps.place).node, call)
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        if let spec = operation.parameters["spec"]?.asObject { service.spec = spec }
        if let plan = operation.parameters["plan"]?.asString { service.plan = plan }
        if let revision = operation.parameters["plan_revision"]?.asInteger { service.planRevision = revision }
        service.observed["version"] = outputs[shown.name]?["version"]
        PanelSteps.noteWishes(&service, operation, outputs: outputs)
    }
}

extension PanelScope {
    /// Whether the site has to be made anew: for another version of PHP.
    fileprivate func isRebuilt() throws(StepFailure) -> Bool { try wanted().sort.phpVersion != spec.sort.phpVersion }

    fileprivate func upgraded() throws(StepFailure) -> PanelScope { PanelScope(scope: scope, spec: try wanted()) }

    fileprivate var rebuildName: String { "rebuild-\(operation.id.drop { $0 != "_" }.dropFirst())" }

    /// As it was given when the database was made.
    fileprivate func password(of database: SiteDatabase) -> JSONValue? {
        service.address["secrets"]?["databases"]?[database.label]
    }

    fileprivate func rebuild(
        as wanted: CloudSiteSpec, _ place: PanelPlace, _ before: PanelSight, _ call: StepCall
    ) async throws(StepFailure) {
        // The first making goes; the second is ours and stays, however often this is taken up again.
        if let seen = try await show(place, call), seen.owner == service.id, seen.nonce == before.nonce {
            _ = try await order("site.delete", place, ["user": .string(place.user)], call.part("delete"))
        }
        do throws(StepFailure) { try await fill(as: wanted, place, call) } catch {
            // The site of before is gone, whatever was refused.
            var failure = error
            failure.effect = .possible
            throw failure
        }
    }

    /// Makes the site and its databases, and puts into them what the backup holds.
    fileprivate func fill(
        as spec: CloudSiteSpec, _ place: PanelPlace, _ call: StepCall
    ) async throws(StepFailure) {
        let arguments = spec.sort.arguments(port: place.port).merged(with: ["user": .string(place.user)])
        var secrets: JSONObject = [:]
        secrets["site_user_password"] = service.address["secrets"]?["user"]
        let made = PanelSight(try await order("site.add", place, arguments, secrets: secrets, call.part("add")))
        guard made.owner == service.id else {
            throw await foreign(place.resource, as: Self.noun, on: place.node, because: made.whose, call)
        }
        try await keep(made, place)
        for one in try await databases(on: place.node) {
            try await addDatabase(one, place, password: password(of: one) ?? .null, call.part("database.\(one.label)"))
        }
        let names = try await servedNames()
        if !names.isEmpty { try await serve(names, place, call.part("aliases")) }
        _ = try await order("site.restore", place, ["backup": .string(rebuildName)], call.part("restore"))
        _ = try await order("site.suspend", place, call.part("suspended"))
    }
}
