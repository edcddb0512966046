import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// A database of a site: its name for people, and what it and its account are called on the server.
struct SiteDatabase: StepOutput, Hashable {
    /// What the customer calls it; none has its whole name of him, since the server would take over what it knows.
    var label: String
    var name: String

    /// An allocation, unique on a node, with the label as its slot.
    static let kind = "site-database"

    init(label: String, name: String) { (self.label, self.name) = (label, name) }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (label, name) = (try object.string("label"), try object.string("database"))
    }

    /// The account has the same name.
    var json: JSONValue { ["label": .string(label), "database": .string(name), "user": .string(name)] }

    var resource: String { "cloudpanel/database/\(name)" }

    /// An account of MySQL has 32 characters, the label 12, the rest 4.
    private static let stem = 14

    static func candidates(_ label: String, of user: String, suffixes: [String]) -> [String] {
        let own = user.hasPrefix("user_") ? String(user.dropFirst(5)) : user
        let letters = own.utf8.filter { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
        let stem = String(decoding: letters.prefix(stem), as: UTF8.self)
        return ["\(stem)_\(label)"] + suffixes.map { "\(stem)\($0)_\(label)" }
    }
}

extension PanelScope {
    var wantedLabel: String { operation.parameters["name"]?.asString ?? "" }

    /// Those that the service has on a node, by label.
    func databases(on node: String) async throws(StepFailure) -> [SiteDatabase] {
        let id = service.id
        return try await locally { store throws(StoreError) in
            let held = try store.allocations(service: id).filter {
                $0.kind == SiteDatabase.kind && $0.scope == node
            }
            return .success(held.map { SiteDatabase(label: $0.slot, name: $0.value) }.sorted { $0.label < $1.label })
        }
    }

    func addDatabase(
        _ database: SiteDatabase, _ place: PanelPlace, password: JSONValue, _ call: StepCall
    ) async throws(StepFailure) {
        let request = ActionRequest(
            driver: "cloudpanel", action: "database.add", resource: database.resource,
            arguments: [
                "domain": .string(place.domain), "database": .string(database.name), "user": .string(database.name),
            ], secrets: ["password": password])
        _ = try await send(request, marked: mark(nil), as: Self.noun, to: place.node, call)
    }

    func deleteDatabase(_ database: SiteDatabase, _ place: PanelPlace, _ call: StepCall) async throws(StepFailure) {
        let request = ActionRequest(
            driver: "cloudpanel", action: "database.delete", resource: database.resource,
            arguments: ["database": .string(database.name), "domain": .string(place.domain)])
        _ = try await send(request, marked: mark(nil), as: Self.noun, to: place.node, call)
    }
}

/// Makes a database. Parameters `name` and `password`.
enum AddDatabase {
    static let verb = Verb("add-database", from: [.running, .suspended])
    static let saga = SagaDefinition<PanelScope>(
        kind: verb.name, deadline: .seconds(2 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(name, act: take, undo: giveBack),
            SagaStep(
                database, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience, act: add, undo: remove),
        ])

    static let name = StepKey<SiteDatabase>("name")
    static let database = StepKey<SiteDatabase>("database")

    private static func take(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> SiteDatabase {
        let (place, label, quota) = (try call.output(PanelSteps.place), scope.wantedLabel, scope.spec.databases)
        let others = try await scope.databases(on: place.node).filter { $0.label != label }
        guard others.count < quota else {
            throw .refused("quota", "the plan allows \(quota) databases, and the service has \(others.count)")
        }
        let (now, random) = (scope.dependencies.clock.now(), scope.dependencies.ports.random)
        let names = SiteDatabase.candidates(label, of: place.user, suffixes: (0..<16).map { _ in random.word(4) })
        let (service, operation) = (scope.service.id, scope.operation.id)
        return try await scope.locally { store throws(StoreError) in
            let taken = try store.allocate(
                AllocationRequest(
                    kind: SiteDatabase.kind, scope: place.node, candidates: names, node: place.node, service: service,
                    operation: operation, slot: label), at: now)
            guard taken.operation == operation else {
                return .failure(.refused("conflict", "the site has a database \(label) already"))
            }
            return .success(SiteDatabase(label: label, name: taken.value))
        }
    }

    private static func giveBack(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        let (node, label, operation) = (try call.output(PanelSteps.place).node, scope.wantedLabel, scope.operation.id)
        try await scope.forget(label, on: node) { $0.operation == operation }
    }

    private static func add(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> SiteDatabase {
        let made = try call.output(name)
        try await scope.addDatabase(
            made, call.output(PanelSteps.place), password: scope.secret("password"), call)
        return made
    }

    private static func remove(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.deleteDatabase(call.output(name), call.output(PanelSteps.place), call)
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        guard let made = outputs[database.name] else { return }
        let others = (service.observed["databases"]?.asArray ?? []).filter { $0["label"] != made["label"] }
        service.observed["databases"] = .array(
            (others + [made]).sorted { ($0["label"]?.asString ?? "") < ($1["label"]?.asString ?? "") })
        // Whoever makes the site anew needs it; what is in the address lies sealed and is never shown.
        if let label = made["label"]?.asString { note(operation.password, of: label, in: &service) }
    }

    static func note(_ password: JSONValue?, of label: String, in service: inout ServiceRecord) {
        var secrets = service.address["secrets"]?.asObject ?? [:]
        var databases = secrets["databases"]?.asObject ?? [:]
        databases[label] = password
        secrets["databases"] = databases.isEmpty ? nil : .object(databases)
        service.address["secrets"] = .object(secrets)
    }

    static let nameSchema: JSONValue = [
        "type": "string", "pattern": "^[a-z][a-z0-9]{0,11}$",
        "description": "What the customer calls it; on the server it is called after the site as well.",
    ]

    static func label(_ fields: JSONObject) throws(CoreError) -> String {
        let text = fields["name"]?.asString ?? ""
        guard (1...12).contains(text.utf8.count), let first = text.utf8.first, (0x61...0x7A).contains(first),
            text.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) })
        else {
            throw .invalid(
                field: "parameters.name", problem: "must be 1 to 12 of a-z and 0-9, beginning with a letter")
        }
        return text
    }

    static let parameters = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false, "required": ["name", "password"],
            "properties": ["name": nameSchema, "password": PanelWords.passwordSchema],
        ],
        read: { fields throws(CoreError) in
            [
                "name": .string(try label(fields)),
                OperationType.secretsKey: ["password": .string(try PanelWords.password(fields))],
            ]
        })
}

/// Removes a database with all that is in it. Parameter `name`.
enum RemoveDatabase {
    static let verb = Verb("remove-database", from: [.running, .suspended])
    static let saga = SagaDefinition<PanelScope>(
        kind: verb.name, direction: .forward, deadline: .seconds(2 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(found, act: find),
            SagaStep(
                database, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience, act: remove),
            SagaStep(release, act: giveBack),
        ])

    static let found = StepKey<SiteDatabase>("found")
    static let database = StepKey<NoOutput>("database")
    static let release = StepKey<NoOutput>("release")

    private static func find(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> SiteDatabase {
        let place = try call.output(PanelSteps.place)
        let all = try await scope.databases(on: place.node)
        guard let found = all.first(where: { $0.label == scope.wantedLabel }) else {
            throw .refused("not_found", "the site has no database \(scope.wantedLabel)")
        }
        return found
    }

    private static func remove(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.deleteDatabase(call.output(found), call.output(PanelSteps.place), call)
        return NoOutput()
    }

    private static func giveBack(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.forget(scope.wantedLabel, on: call.output(PanelSteps.place).node) { _ in true }
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        let left = (service.observed["databases"]?.asArray ?? []).filter {
            $0["label"] != operation.parameters["name"]
        }
        service.observed["databases"] = left.isEmpty ? nil : .array(left)
        AddDatabase.note(nil, of: operation.parameters["name"]?.asString ?? "", in: &service)
    }

    static let parameters = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false, "required": ["name"],
            "properties": ["name": AddDatabase.nameSchema],
        ],
        read: { fields throws(CoreError) in ["name": .string(try AddDatabase.label(fields))] })
}

extension OperationRecord {
    /// That came with it.
    fileprivate var password: JSONValue? { parameters[OperationType.secretsKey]?["password"] }
}

extension PanelScope {
    /// Off the books.
    fileprivate func forget(
        _ label: String, on node: String, _ isMeant: @escaping @Sendable (AllocationRecord) -> Bool
    ) async throws(StepFailure) {
        let (id, now, rules) = (service.id, dependencies.clock.now(), dependencies.allocation)
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            let held = try store.allocations(service: id).first {
                $0.kind == SiteDatabase.kind && $0.scope == node && $0.slot == label
            }
            guard let held, isMeant(held) else { return .success(()) }
            _ = try store.releaseAllocation(
                kind: held.kind, scope: held.scope, value: held.value, service: id, at: now, by: rules)
            return .success(())
        }
    }
}
