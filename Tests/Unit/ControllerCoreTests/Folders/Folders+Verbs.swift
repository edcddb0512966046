import ControllerCore
import Model
import Saga
import Store
import WireProtocol

/// What the steps of a folder's sagas work in.
struct FolderScope: ServiceWork {
    let scope: ServiceScope
    let files: Int64

    var host: ObjectProvider<WebFolder> { ObjectProvider(dependencies.ports.http) }
}

/// The two names that a folder has.
struct FolderNames: StepOutput, Hashable {
    var open: String
    var hidden: String

    enum Part: Sendable { case open, hidden }

    subscript(part: Part) -> String { part == .open ? open : hidden }

    init(open: String, hidden: String) { (self.open, self.hidden) = (open, hidden) }

    init?(_ held: [AllocationRecord]) {
        let names = held.filter { $0.kind == "name" }
        guard let open = names.first(where: { $0.slot == "open" })?.value,
            let hidden = names.first(where: { $0.slot == "hidden" })?.value
        else { return nil }
        self.init(open: open, hidden: hidden)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (open, hidden) = (try object.string("open"), try object.string("hidden"))
    }

    var json: JSONValue { ["open": .string(open), "hidden": .string(hidden)] }
}

extension Folders {
    private static let names = StepKey<FolderNames?>("names")
    private static let open = StepKey<NoOutput>("open")
    private static let hidden = StepKey<NoOutput>("hidden")
    private static let release = StepKey<NoOutput>("release")

    static let verbs: [ProductVerb] = [
        verb(
            .provision, "Makes both folders.",
            [
                SagaStep(names, act: take, undo: { scope, _ throws(StepFailure) in try await scope.release() }),
                SagaStep(open, act: put(.open, isOpen: true), undo: remove(.open)),
                SagaStep(hidden, act: put(.hidden, isOpen: false), undo: remove(.hidden)),
            ]
        ) { service, _, outputs in service.address = outputs["names"]?.asObject ?? [:] },
        verb(
            .suspend, "Closes the public folder.",
            [
                SagaStep(names, act: held),
                SagaStep(open, act: put(.open, isOpen: false), undo: putBack(.open, isOpen: true)),
            ]),
        verb(
            .resume, "Opens it again.",
            [
                SagaStep(names, act: held),
                SagaStep(open, act: put(.open, isOpen: true), undo: putBack(.open, isOpen: false)),
            ]),
        verb(
            .upgrade, "Other numbers of files.",
            [
                SagaStep(names, act: held),
                SagaStep(
                    open,
                    act: { scope, call throws(StepFailure) in try await scope.resize(scope.wanted, call) },
                    undo: { scope, call throws(StepFailure) in _ = try await scope.resize(scope.files, call) }),
            ]
        ) { service, operation, _ in
            service.spec = operation.parameters["spec"]?.asObject ?? service.spec
            service.plan = operation.parameters["plan"]?.asString ?? service.plan
        },
        verb(
            Verb("paint", from: [.running]), "Gives the public folder another look.",
            [
                SagaStep(names, act: held),
                SagaStep(open, act: { scope, call throws(StepFailure) in try await scope.paint(call) }),
            ], parameters: theme),
        verb(
            .terminate, "Removes both folders.",
            [
                SagaStep(names, act: held), SagaStep(hidden, act: drop(.hidden)), SagaStep(open, act: drop(.open)),
                SagaStep(
                    release,
                    act: { scope, _ throws(StepFailure) in
                        try await scope.release()
                        return NoOutput()
                    }),
            ], direction: .forward
        ) { service, _, _ in service.address = [:] },
    ]

    private static let theme = VerbParameters(
        schema: [
            "type": "object", "required": ["theme"],
            "properties": ["theme": ["type": "string", "enum": ["plain", "loud"]]],
        ],
        read: { fields throws(CoreError) in
            guard let theme = fields["theme"]?.asString, ["plain", "loud"].contains(theme) else {
                throw .invalid(field: "parameters.theme", problem: "must be plain or loud")
            }
            return ["theme": .string(theme)]
        })

    private static func verb(
        _ verb: Verb, _ summary: String, _ steps: [SagaStep<FolderScope>], direction: SagaDirection = .unwind,
        parameters: VerbParameters = .none, _ conclude: @escaping ProductVerb.Conclusion = { _, _, _ in }
    ) -> ProductVerb {
        ProductVerb(
            verb, summary: summary, parameters: parameters,
            saga: SagaDefinition(kind: verb.name, direction: direction, steps: steps),
            scope: { FolderScope(scope: $0, files: $0.service.spec["files"]?.asInteger ?? 1) }, conclude: conclude)
    }

    fileprivate typealias Act = @Sendable (FolderScope, StepCall) async throws(StepFailure) -> NoOutput
    fileprivate typealias Undo = @Sendable (FolderScope, StepCall) async throws(StepFailure) -> Void

    private static func put(_ part: FolderNames.Part, isOpen: Bool) -> Act {
        { scope, call throws(StepFailure) in
            try await scope.put(try scope.name(part, call), isOpen: isOpen)
            return NoOutput()
        }
    }

    private static func putBack(_ part: FolderNames.Part, isOpen: Bool) -> Undo {
        { scope, call throws(StepFailure) in try await scope.put(try scope.name(part, call), isOpen: isOpen) }
    }

    private static func remove(_ part: FolderNames.Part) -> Undo {
        { scope, call throws(StepFailure) in try await scope.ensureGone(scope.name(part, call), at: scope.host) }
    }

    private static func drop(_ part: FolderNames.Part) -> Act {
        { scope, call throws(StepFailure) in
            guard let names = try scope.names(call) else { return NoOutput() }
            try await scope.ensureGone(names[part], at: scope.host)
            return NoOutput()
        }
    }

    private static func take(_ scope: FolderScope, _ call: StepCall) async throws(StepFailure) -> FolderNames? {
        let (service, operation, now) = (scope.service.id, scope.operation.id, scope.dependencies.clock.now())
        return try await scope.locally { store throws(StoreError) in
            var taken: [String] = []
            for slot in ["open", "hidden"] {
                let request = AllocationRequest(
                    kind: "name", candidates: ["\(service)-\(slot)"], service: service, operation: operation, slot: slot
                )
                taken.append(try store.allocate(request, at: now).value)
            }
            return .success(FolderNames(open: taken[0], hidden: taken[1]))
        }
    }

    private static func held(_ scope: FolderScope, _ call: StepCall) async throws(StepFailure) -> FolderNames? {
        let id = scope.service.id
        return try await scope.locally { store throws(StoreError) in
            .success(FolderNames(try store.allocations(service: id)))
        }
    }

    // MARK: looking

    static let drift = DriftWatch(
        .outside { look, name in
            let host = ObjectProvider<WebFolder>(look.dependencies.ports.http)
            do throws(PortError) {
                let found = try await host.find(name, look.service.id)
                return .report(found.map { .seen(["open": .bool($0.thing.isOpen)]) } ?? .missing)
            } catch { return .silence }
        },
        resource: { look in FolderNames(look.held)?.open },
        judge: { service, report in
            switch report {
            case .missing:
                Drift(
                    kind: "missing", sentence: "its folder is not there.", remedy: "Order it anew.", isRepairable: false
                )
            case .seen(let state):
                (state["open"] == true) == (service.state == .running)
                    ? nil
                    : Drift(
                        kind: "stopped", sentence: "its folder is not as open as it should be.",
                        remedy: "Suspend and resume it.", isRepairable: false)
            }
        })

    @Sendable static func isGone(_ look: ServiceLook) async -> Bool {
        guard let names = FolderNames(look.held) else { return true }
        let host = ObjectProvider<WebFolder>(look.dependencies.ports.http)
        do throws(PortError) {
            for name in [names.open, names.hidden]
            where try await host.find(name, look.service.id)?.mark == look.service.id {
                return false
            }
            return true
        } catch { return false }
    }
}

extension FolderScope {
    fileprivate var wanted: Int64 { operation.parameters["spec"]?["files"]?.asInteger ?? files }

    fileprivate func names(_ call: StepCall) throws(StepFailure) -> FolderNames? {
        try call.output(StepKey<FolderNames?>("names"))
    }

    fileprivate func name(_ part: FolderNames.Part, _ call: StepCall) throws(StepFailure) -> String {
        guard let names = try names(call) else {
            throw StepFailure(.final, code: "nameless", message: "the folder has no names", effect: .none)
        }
        return names[part]
    }

    fileprivate func put(_ name: String, isOpen: Bool) async throws(StepFailure) {
        _ = try await ensure(WebFolder(name: name, files: files, isOpen: isOpen), at: host)
    }

    fileprivate func resize(_ files: Int64, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        // What it came from, as it was frozen at the start: the service's own state is another by now.
        let isOpen = call.context["from"] != "suspended"
        _ = try await ensure(WebFolder(name: name(.open, call), files: files, isOpen: isOpen), at: host)
        return NoOutput()
    }

    fileprivate func paint(_ call: StepCall) async throws(StepFailure) -> NoOutput {
        var folder = WebFolder(name: try name(.open, call), files: files, isOpen: true)
        folder.theme = operation.parameters["theme"]?.asString ?? "plain"
        _ = try await ensure(folder, at: host)
        return NoOutput()
    }
}
