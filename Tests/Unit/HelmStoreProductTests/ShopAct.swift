import Model
import Store
import Testing
import WireProtocol

@testable import ControllerCore
@testable import HelmStoreProduct

/// A verb, and how the shop comes to where it may begin.
struct ShopAct: Sendable, CustomTestStringConvertible {
    var verb: String
    var plan = "basic"
    var parameters: JSONObject = [:]
    var before: [ShopAct] = []
    /// Whether it goes back when it fails. One that does not leaves what was there, or what it was to make.
    var isUndone = true

    var testDescription: String { (["\(verb) (\(plan))"] + before.map(\.verb)).joined(separator: " after ") }

    static let made = ShopAct(verb: "provision")
    static let suspended = ShopAct(verb: "suspend", before: [made])
    static let backup = ShopAct(verb: "back-up", before: [made])

    static let all: [ShopAct] = [
        made, suspended, backup,
        ShopAct(verb: "provision", plan: "keeping", isUndone: false),
        ShopAct(verb: "resume", before: [made, suspended]),
        ShopAct(verb: "upgrade", before: [made]),
        ShopAct(verb: "upgrade", before: [made, suspended]),
        ShopAct(verb: "repair", before: [made], isUndone: false),
        ShopAct(verb: "back-up", before: [made, suspended]),
        ShopAct(verb: "remove-backup", parameters: ["backup": "newest"], before: [made, backup]),
        ShopAct(verb: "restore", before: [made, backup], isUndone: false),
        ShopAct(verb: "restore", before: [made, backup, suspended], isUndone: false),
        ShopAct(verb: "terminate", before: [made, backup], isUndone: false),
        ShopAct(verb: "terminate", before: [made, suspended], isUndone: false),
    ]
    static var undone: [ShopAct] { all.filter(\.isUndone) }
}

/// What there is of a shop, inside and outside, without what differs from run to run.
struct ShopState: Hashable {
    var spaces: [String: Belongings.Space]
    var deeds: [String]
    var backups: Int
    var state: ServiceRecord.State
    var held: [String]
    var node: String?
    var spec: JSONObject
}

struct ShopScene {
    var stage: ShopStage
    var service: String
    var operation: String
    var before: ShopState

    static func with(_ act: ShopAct, _ body: (ShopScene) async throws -> Void) async throws {
        try await ShopStage.with { stage in
            var service: String?
            for step in act.before {
                let made = try await step.order(service, stage)
                service = made.service.id
                let ended = try await stage.finish(made.operation.id)
                try #require(ended.state == .succeeded, "\(step.verb): \(ended.error?.message ?? "")")
            }
            let made = try await act.order(service, stage)
            var scene = ShopScene(
                stage: stage, service: made.service.id, operation: made.operation.id,
                before: ShopState(spaces: [:], deeds: [], backups: 0, state: .pending, held: [], spec: [:]))
            scene.before = try await scene.now()
            stage.cluster.change { state in (state.numbers, state.log, state.calls) = ([:], [], []) }
            try await body(scene)
        }
    }

    func now() async throws -> ShopState {
        let record = try await stage.service(service)
        let held = try await stage.store.allocations(service: service)
        let belongings = stage.cluster.belongings
        let spaces = belongings.spaces.map { (Self.plain($0.key), plain($0.value)) }
        return ShopState(
            spaces: Dictionary(spaces) { $1 }, deeds: belongings.deeds,
            backups: try await stage.store.backups(service: service).count, state: record.state,
            held: held.map { "\($0.kind) \($0.scope) \($0.kind == "store" ? "…" : $0.value)" }.sorted(),
            node: record.node, spec: record.spec)
    }

    /// The end of an id is random.
    private static func plain(_ namespace: String) -> String { String(namespace.dropLast(6)) }

    private func plain(_ space: Belongings.Space) -> Belongings.Space {
        var space = space
        if space.service == service { space.service = "ours" }
        return space
    }
}

extension ShopAct {
    fileprivate func order(_ service: String?, _ stage: ShopStage) async throws -> ServiceOperation {
        switch verb {
        case "provision": return try await stage.create(plan: plan)
        case "upgrade":
            return try await stage.operations.upgrade(
                service ?? "", UpgradeRequest(plan: "large"), by: ShopStage.by)
        default:
            var parameters = parameters
            if parameters["backup"] == "newest" {
                parameters["backup"] = .string(try await stage.store.backups(service: service ?? "").last?.id ?? "")
            }
            return try await stage.operations.order(
                verb, on: service ?? "", parameters: parameters, by: ShopStage.by)
        }
    }
}
