import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import SiteProduct

/// A verb, and how the site comes to where it may begin.
struct PanelAct: Sendable, CustomTestStringConvertible {
    var verb: String
    var plan = "basic"
    var parameters: JSONObject = [:]
    var before: [PanelAct] = []
    /// Whether it goes back when it fails.
    var isUndone = true

    var testDescription: String { (["\(verb) (\(plan))"] + before.map(\.verb)).joined(separator: " after ") }

    static let made = PanelAct(verb: "provision")
    static let suspended = PanelAct(verb: "suspend", before: [made])

    static let database = PanelAct(
        verb: "add-database", parameters: ["name": "shop", "password": "secret12345"], before: [made])
    static let madePHP = PanelAct(verb: "provision", plan: "php")
    /// With something in it that must not be lost.
    static let filled = PanelAct(
        verb: "add-database", parameters: ["name": "shop", "password": "secret12345"], before: [madePHP])
    static let backup = PanelAct(verb: "back-up", before: [made])
    static let domain: JSONObject = ["domain": "shop.example.net"]
    static let served = PanelAct(verb: "check-domain", parameters: domain, before: [made])

    static let all: [PanelAct] = [
        made, suspended,
        PanelAct(verb: "provision", plan: "taking"),
        PanelAct(verb: "provision", plan: "node"),
        PanelAct(verb: "resume", before: [made, suspended]),
        PanelAct(verb: "restart", before: [made]),
        PanelAct(verb: "repair", before: [made, served]),
        PanelAct(verb: "complete", before: [made]),
        PanelAct(verb: "reset-password", parameters: ["password": "another12345"], before: [made]),
        database,
        PanelAct(verb: "remove-database", parameters: ["name": "shop"], before: [made, database], isUndone: false),
        backup,
        PanelAct(verb: "restore", before: [made, database, backup]),
        PanelAct(verb: "remove-backup", parameters: ["backup": "newest"], before: [made, backup], isUndone: false),
        PanelAct(verb: "terminate", before: [made, backup], isUndone: false),
        PanelAct(verb: "upgrade", plan: "more", before: [made]),
        PanelAct(verb: "upgrade", plan: "php84", before: [madePHP, filled]),
        served,
        PanelAct(verb: "remove-domain", parameters: domain, before: [made, served], isUndone: false),
        PanelAct(verb: "terminate", before: [made], isUndone: false),
        PanelAct(verb: "terminate", before: [made, suspended], isUndone: false),
    ]
    static var undone: [PanelAct] { all.filter(\.isUndone) }
}

/// What there is of a site, inside and outside, without what differs from run to run.
struct PanelState: Hashable {
    var sites: [String: Belongings.Site]
    /// Domains whose visits are counted.
    var counted: [String]
    var state: ServiceRecord.State
    var held: [String]
    var node: String?
    var spec: JSONObject
    var address: JSONObject
    /// Domains of the customer's own, with where they stand.
    var domains: [String]
    var databases: JSONValue
    /// On the servers, and on the books.
    var backups: Int
    var listed: Int
    var plan: String
    /// What is still wanted.
    var wishes: [String]
}

struct PanelScene {
    var stage: PanelStage
    var act: PanelAct
    var service: String
    var operation: String
    var before: PanelState

    /// There before any order, on both servers.
    static let theirs = Belongings.Site(node: "", user: "user_exampleorg", type: "php", version: "8.1")

    static func with(_ act: PanelAct, _ body: (PanelScene) async throws -> Void) async throws {
        try await PanelStage.with { stage in
            if act.plan == "taking" {
                for node in ["nod_1", "nod_2"] {
                    stage.panels.change { state in
                        state.belongings.sites["\(node) example.org"] = theirs
                        state.belongings.sites["\(node) example.org"]?.node = node
                    }
                }
            }
            var service: String?
            for step in act.before {
                if let service, step.verb == "check-domain" { try await step.prepare(service, stage) }
                let made = try await step.order(service, stage)
                service = made.service.id
                let ended = try await stage.finish(made.operation.id)
                try #require(ended.state == .succeeded, "\(step.verb): \(ended.error?.message ?? "")")
            }
            stage.panels.change { state in
                for key in state.belongings.sites.keys {
                    state.belongings.sites[key]?.files = "work"
                    for name in (state.belongings.sites[key]?.databases ?? [:]).keys {
                        state.belongings.sites[key]?.databases[name] = "rows"
                    }
                }
            }
            if let service, act.verb == "check-domain" { try await act.prepare(service, stage) }
            let made = try await act.order(service, stage)
            var scene = PanelScene(
                stage: stage, act: act, service: made.service.id, operation: made.operation.id,
                before: PanelState(
                    sites: [:], counted: [], state: .pending, held: [], spec: [:], address: [:], domains: [],
                    databases: .null, backups: 0, listed: 0, plan: "",
                    wishes: []))
            scene.before = try await scene.now()
            stage.panels.change { state in (state.numbers, state.log, state.calls) = ([:], [], []) }
            stage.outside.change { $0.calls = 0 }
            try await body(scene)
        }
    }

    func now() async throws -> PanelState {
        let record = try await stage.service(service)
        let held = try await stage.store.allocations(service: service)
        var address = record.address
        // Passwords differ from run to run.
        if act.verb != "terminate" { address["secrets"] = nil }
        var sites = stage.panels.belongings.sites
        for (key, var site) in sites {
            site.service = site.service == service ? "ours" : site.service
            // Which command has made it differs from run to run.
            if let nonce = site.nonce { site.nonce = nonce.hasPrefix(PanelSight.adopted) ? "adopted" : "made" }
            sites[key] = site
        }
        return PanelState(
            sites: sites, counted: stage.outside.state.withLock { $0.counted.keys.sorted() }, state: record.state,
            held: held.map { "\($0.kind) \($0.scope) \($0.value)" }.sorted(), node: record.node, spec: record.spec,
            address: address,
            domains: try await stage.store.domains(service: service).map { "\($0.name) \($0.state.rawValue)" },
            databases: record.observed["databases"] ?? .null, backups: stage.panels.belongings.backups.count,
            listed: try await stage.store.backups(service: service).count, plan: record.plan,
            wishes: record.observed["wishes"]?.asObject?.keys.sorted() ?? [])
    }
}

extension PanelAct {
    fileprivate func prepare(_ service: String, _ stage: PanelStage) async throws {
        try await stage.addDomain(parameters["domain"]?.asString ?? "", to: service)
    }

    fileprivate func order(_ service: String?, _ stage: PanelStage) async throws -> ServiceOperation {
        switch verb {
        case "provision": return try await stage.create(plan: plan)
        case "upgrade":
            return try await stage.operations.upgrade(service ?? "", UpgradeRequest(plan: plan), by: PanelStage.by)
        case "remove-backup":
            let newest = try await stage.store.newestBackup(service: service ?? "")
            return try await stage.operations.removeBackup(newest?.id ?? "", by: PanelStage.by)
        default:
            return try await stage.operations.order(
                verb, on: service ?? "", parameters: parameters, by: PanelStage.by)
        }
    }
}
