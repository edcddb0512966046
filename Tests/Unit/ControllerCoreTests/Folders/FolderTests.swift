import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

/// What sagas have to stand, of a product that the core has never heard of.
@Suite struct FolderTests {
    /// A verb, and how the service comes to where it may begin.
    struct Act: Sendable, CustomTestStringConvertible {
        var verb: String
        var before: [String] = ["provision"]
        var testDescription: String { "\(verb) after \(before.joined(separator: ", "))" }
        var isUndone: Bool { verb != "terminate" }
    }

    static let acts = [
        Act(verb: "provision", before: []), Act(verb: "suspend"),
        Act(verb: "resume", before: ["provision", "suspend"]),
        Act(verb: "upgrade"), Act(verb: "upgrade", before: ["provision", "suspend"]), Act(verb: "paint"),
        Act(verb: "terminate"), Act(verb: "terminate", before: ["provision", "suspend"]),
    ]

    private struct FolderState: Hashable {
        var folders: [String: JSONValue]
        var state: ServiceRecord.State
        var names: [String]
        var files: JSONValue?
    }

    private struct Scene {
        var stage: Stage
        var service: String
        var operation: String
        var before: FolderState

        func dependencies() async throws -> FolderState {
            let record = try await stage.service(service)
            func plain(_ text: String) -> String { text.replacing(service, with: "svc") }
            let folders = stage.host.folders.map { (plain($0), try? JSONParser.parse(Array(plain($1.text).utf8))) }
            return FolderState(
                folders: Dictionary(folders.map { ($0.0, $0.1 ?? .null) }, uniquingKeysWith: { $1 }),
                state: record.state,
                names: try await stage.store.allocations(service: service).map { "\($0.slot) \(plain($0.value))" },
                files: record.spec["files"])
        }
    }

    private func order(_ verb: String, _ service: String?, _ stage: Stage) async throws -> ServiceOperation {
        switch verb {
        case "provision":
            return try await stage.operations.createService(
                ServiceRequest(customer: "c", plan: "shelf"), by: Stage.by)
        case "upgrade":
            let request = UpgradeRequest(overrides: ["files": 7])
            return try await stage.operations.upgrade(service ?? "", request, by: Stage.by)
        default:
            return try await stage.operations.order(
                verb, on: service ?? "", parameters: verb == "paint" ? ["theme": "loud"] : [:], by: Stage.by)
        }
    }

    private func with(_ act: Act, _ body: (Scene) async throws -> Void) async throws {
        try await Stage.with { stage in
            _ = try await stage.operations.createPlan(
                name: "shelf", product: "folder", spec: ["files": 3], by: Stage.by)
            var service: String?
            for verb in act.before {
                let made = try await order(verb, service, stage)
                service = made.service.id
                try await stage.finish(made.operation.id)
            }
            let ordered = try await order(act.verb, service, stage)
            var scene = Scene(
                stage: stage, service: ordered.service.id, operation: ordered.operation.id,
                before: FolderState(folders: [:], state: .pending, names: [], files: nil))
            scene.before = try await scene.dependencies()
            stage.host.change { $0.calls = 0 }
            try await body(scene)
            #expect(stage.node.log.isEmpty, "no agent is told anything")
        }
    }

    /// How it ends undisturbed, and after how many calls and looks at the clock.
    private func reference(_ act: Act) async throws -> (end: FolderState, calls: Int, looks: Int) {
        var result: (FolderState, Int, Int)?
        try await with(act) { scene in
            _ = try await scene.stage.run(scene.operation)
            #expect(try await scene.stage.outcome(scene.operation).state == .succeeded)
            result = (try await scene.dependencies(), scene.stage.host.calls, scene.stage.looks)
        }
        return try #require(result)
    }

    @Test(arguments: acts) func `undisturbed, it does what it says`(act: Act) async throws {
        let end = try await reference(act).end
        let open = end.folders["svc-open"]
        switch act.verb {
        case "terminate": #expect(end.folders.isEmpty && end.names.isEmpty && end.state == .terminated)
        case "suspend": #expect(open?["open"] == false && end.state == .suspended)
        case "upgrade": #expect(open?["files"] == 7 && end.files == 7 && open?["open"] == .bool(act.before.count == 1))
        case "paint": #expect(open?["theme"] == "loud" && end.state == .running)
        default: #expect(open?["open"] == true && open?["files"] == 3 && end.state == .running)
        }
        if act.verb != "terminate" { #expect(end.names == ["hidden svc-hidden", "open svc-open"]) }
    }

    @Test(arguments: acts)
    func `whatever happens on the way to the host, it ends the same`(act: Act) async throws {
        let (end, calls, _) = try await reference(act)
        for number in 1...calls {
            for fault in HostFault.allCases where fault != .refuses {
                try await with(act) { scene in
                    scene.stage.host.change { $0.faults = [number: fault] }
                    let ended = try await scene.stage.finish(scene.operation)
                    #expect(ended.state == .succeeded, "\(fault) at call \(number): \(ended.error?.message ?? "")")
                    #expect(try await scene.dependencies() == end, "\(fault) at call \(number)")
                }
            }
        }
    }

    @Test(arguments: acts.filter(\.isUndone))
    func `refused at any call, it leaves everything as it was`(act: Act) async throws {
        let calls = try await reference(act).calls
        for number in 1...calls {
            try await with(act) { scene in
                scene.stage.host.change { $0.faults = [number: .refuses] }
                let ended = try await scene.stage.finish(scene.operation)
                #expect(ended.state == .failed && ended.error?.code == "refused", "call \(number)")
                var expected = scene.before
                if act.verb == "provision" { expected.state = .failed }
                var found = try await scene.dependencies()
                // It has no undo: what was painted before the answer stays painted.
                if act.verb == "paint" { found.folders = expected.folders }
                #expect(found == expected, "call \(number)")
            }
        }
    }

    @Test(arguments: acts)
    func `stopped and taken up at each moment, it ends the same`(act: Act) async throws {
        let (end, _, looks) = try await reference(act)
        for moment in 1...looks {
            try await with(act) { scene in
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                try await scene.stage.finish(scene.operation)
                #expect(try await scene.dependencies() == end, "stopped at \(moment) of \(looks)")
            }
        }
    }

    @Test func `a termination that is refused needs attention, and asking again completes it`() async throws {
        let act = Act(verb: "terminate")
        for number in 1...(try await reference(act).calls) {
            try await with(act) { scene in
                scene.stage.host.change { $0.faults = [number: .refuses] }
                #expect(try await scene.stage.finish(scene.operation).state == .needsAttention)
                let again = try await order("terminate", scene.service, scene.stage)
                #expect(try await scene.stage.finish(again.operation.id).state == .succeeded)
                #expect(scene.stage.host.folders.isEmpty)
            }
        }
    }

    @Test func `what is somebody else's under a name is left alone, and says so`() async throws {
        try await with(Act(verb: "provision", before: [])) { scene in
            let theirs: JSONValue = ["files": 9, "open": true, "theme": "x", "owner": "somebody"]
            scene.stage.host.change { $0.folders["\(scene.service)-hidden"] = theirs }
            let ended = try await scene.stage.finish(scene.operation)
            #expect(ended.state == .failed && ended.error?.code == "conflict")
            #expect(scene.stage.host.folders == ["\(scene.service)-hidden": theirs])
        }
    }

    // MARK: the front

    @Test func `its fields, verbs and parameters are checked by what it says of them`() async throws {
        try await Stage.with { stage in
            await #expect(throws: CoreError.invalid(field: "spec.image", problem: "is not a known field")) {
                try await stage.operations.createPlan(
                    name: "p", product: "folder", spec: ["image": "x"], by: Stage.by)
            }
            let error = await #expect(throws: CoreError.self) {
                try await stage.operations.createPlan(name: "p", product: "boat", spec: [:], by: Stage.by)
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains("there are container, folder"))
            let container = try await stage.provision()
            await #expect(throws: CoreError.self) {
                try await stage.operations.order("paint", on: container.id, by: Stage.by)
            }
        }
        try await with(Act(verb: "suspend")) { scene in
            let bad: JSONObject = ["theme": "blue"]
            await #expect(
                throws: CoreError.invalid(
                    field: "parameters.theme", problem: "must be one of plain, loud, not \"blue\"")
            ) {
                try await scene.stage.operations.order(
                    "paint", on: scene.service, parameters: bad, by: Stage.by)
            }
            // It has no such verb, whoever else has.
            await #expect(throws: CoreError.self) {
                try await scene.stage.operations.repair(scene.service, by: Stage.by)
            }
            await #expect(throws: CoreError.self) {
                try await scene.stage.operations.upgrade(
                    scene.service, UpgradeRequest(plan: "large"), by: Stage.by)
            }
            await #expect(throws: CoreError.self) {
                try await scene.stage.operations.explainPlacement(ServiceRequest(customer: "c", plan: "shelf"))
            }
        }
    }

    // MARK: reconcilers

    @Test func `drift is found where no node is, and is over when it is over`() async throws {
        try await with(Act(verb: "suspend")) { scene in
            let (stage, id) = (scene.stage, scene.service)
            _ = try await stage.operations.cancel(scene.operation, by: Stage.by)
            stage.clock.state.withLock { $0.milliseconds += 120_000 }
            let drift = ServiceDrift(operations: stage.operations)
            let folder = stage.host.folders["\(id)-open"]
            stage.host.change { $0.folders["\(id)-open"] = nil }
            stage.host.change { $0.isDown = true }
            try await drift.reconcile(stage.dependencies)
            #expect(try await stage.service(id).observed["drift"] == nil, "silence says nothing")
            stage.host.change { $0.isDown = false }
            try await drift.reconcile(stage.dependencies)
            #expect(try await stage.service(id).observed["drift"]?["kind"] == "missing")
            stage.host.change { $0.folders["\(id)-open"] = folder }
            stage.clock.state.withLock { $0.milliseconds += 120_000 }
            try await drift.reconcile(stage.dependencies)
            #expect(try await stage.service(id).observed["drift"] == nil)
        }
    }
}
