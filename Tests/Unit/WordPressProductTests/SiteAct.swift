import Model
import Placement
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import WordPressProduct

/// A verb, and how the site comes to where it may begin.
struct SiteAct: Sendable, CustomTestStringConvertible {
    var verb: String
    var parameters: JSONObject = [:]
    var before: [SiteAct] = []
    /// Whether it goes back when it fails. One that does not leaves what was there, or what it was to make.
    var isUndone = true

    var testDescription: String { ([verb] + before.map(\.verb)).joined(separator: " after ") }

    static let made = SiteAct(verb: "provision")
    static let domain: JSONObject = ["domain": "www.Shop.example.net."]
    static let suspended = SiteAct(verb: "suspend", before: [made])
    static let snapshot = SiteAct(verb: "snapshot", parameters: ["snapshot": "before"], before: [made])
    static let backup = SiteAct(verb: "back-up", before: [made])
    static let added = SiteAct(verb: "add-domain", parameters: domain, before: [made])
    static let checked = SiteAct(verb: "check-domain", parameters: domain, before: [made, added])

    static let all: [SiteAct] = [
        made, suspended, snapshot, backup, added, checked,
        SiteAct(verb: "resume", before: [made, suspended]),
        SiteAct(verb: "restart", before: [made], isUndone: false),
        SiteAct(verb: "upgrade", before: [made]),
        SiteAct(verb: "upgrade", before: [made, suspended]),
        SiteAct(verb: "repair", before: [made], isUndone: false),
        SiteAct(
            verb: "reset-password", parameters: ["password": "correct horse"], before: [made], isUndone: false),
        SiteAct(
            verb: "login", parameters: ["token": .string(String(repeating: "a1", count: 21) + "b")], before: [made],
            isUndone: false),
        SiteAct(verb: "roll-back", parameters: ["snapshot": "initial"], before: [made], isUndone: false),
        SiteAct(
            verb: "remove-snapshot", parameters: ["snapshot": "before"], before: [made, snapshot], isUndone: false),
        SiteAct(verb: "restore", before: [made, backup], isUndone: false),
        SiteAct(verb: "remove-backup", before: [made, backup], isUndone: false),
        SiteAct(verb: "restore-into", before: [made, backup]),
        SiteAct(verb: "move", parameters: ["node": "node-3"], before: [made]),
        SiteAct(verb: "remove-domain", parameters: domain, before: [made, added, checked], isUndone: false),
        SiteAct(verb: "remove-domain", parameters: domain, before: [made, added, checked, suspended], isUndone: false),
        SiteAct(verb: "terminate", before: [made, backup, added, checked], isUndone: false),
        SiteAct(verb: "terminate", before: [made, suspended], isUndone: false),
    ]
    static var undone: [SiteAct] { all.filter(\.isUndone) }
}

/// What there is of a site, inside and outside, without what differs from run to run.
struct SiteState: Hashable {
    var guests: [Int64: Belongings.Guest]
    var backups: Int
    /// On the books of the service.
    var listed: Int
    var records: [String: ModelOutside.Kept<String>]
    var routes: [String: ModelOutside.Kept<String>]
    var zones: [String]
    var certificates: Set<[String]>
    var state: ServiceRecord.State
    var held: [String]
    var node: String?
    var memory: Int64?
    var spec: JSONValue?
    var domains: [String]
}

struct SiteScene {
    var stage: SiteStage
    var service: String
    var operation: String
    var before: SiteState

    static func with(_ act: SiteAct, _ body: (SiteScene) async throws -> Void) async throws {
        try await SiteStage.with { stage in
            // What the customer has done about the domain.
            stage.outside.change { state in
                state.told["A shop.example.net"] = ["203.0.113.10"]
                state.told["A www.shop.example.net"] = ["203.0.113.10"]
            }
            var service: String?
            for step in act.before {
                let made = try await step.order(service, stage)
                service = made.service.id
                let ended = try await stage.finish(made.operation.id)
                try #require(ended.state == .succeeded, "\(step.verb): \(ended.error?.message ?? "")")
                try await stage.tellProof(made.service.id)
            }
            let made = try await act.order(service, stage)
            var scene = SiteScene(
                stage: stage, service: made.service.id, operation: made.operation.id,
                before: SiteState(
                    guests: [:], backups: 0, listed: 0, records: [:], routes: [:], zones: [], certificates: [],
                    state: .pending, held: [], domains: []))
            scene.before = try await scene.now()
            stage.cluster.change { state in (state.numbers, state.log, state.calls) = ([:], [], []) }
            stage.outside.change { $0.calls = 0 }
            try await body(scene)
        }
    }

    func now() async throws -> SiteState {
        let (record, outside) = (try await stage.service(service), stage.outside.state.withLock { $0 })
        let held = try await stage.store.allocations(service: service)
        return SiteState(
            guests: stage.cluster.belongings.guests.mapValues { plain($0) },
            backups: stage.cluster.belongings.backups.count,
            listed: try await stage.store.backups(service: service).count,
            records: plain(outside.records) { $0.value },
            routes: plain(outside.routes) { $0.target.description },
            zones: outside.zones.keys.sorted(),
            certificates: Set(outside.certificates.map { $0.map { plainName($0) } }), state: record.state,
            held: held.map { "\($0.kind) \($0.scope) \(plainHeld($0))" }.sorted(),
            node: record.node,
            memory: try await stage.store.reservation(service: service)?.memoryBytes, spec: record.spec["memory_bytes"],
            domains: try await stage.store.domains(service: service).map { "\($0.name) \($0.state.rawValue)" })
    }

    private func plain(_ guest: Belongings.Guest) -> Belongings.Guest {
        var guest = guest
        // Commands are named after operations, passwords are random.
        (guest.service, guest.nonce, guest.mac) = (plain(guest.service), "", "")
        guest.password = guest.password.map { _ in "…" }
        (guest.hostname, guest.home) = (plainName(guest.hostname), guest.home.map { plainName($0) })
        guest.snapshots = guest.snapshots.mapValues { state in
            Belongings.Guest.State(home: state.home.map { plainName($0) }, memory: state.memory)
        }
        return guest
    }

    private func plain(_ mark: String?) -> String? {
        if mark == service { return "ours" }
        return mark?.hasPrefix("svc_") == true && mark != "svc_other" ? "another" : mark
    }

    private func plain<Thing>(
        _ kept: [String: ModelOutside.Kept<Thing>], _ text: (Thing) -> String
    ) -> [String: ModelOutside.Kept<String>] {
        Dictionary(
            uniqueKeysWithValues: kept.map { name, kept in
                (plainName(name), ModelOutside.Kept(thing: text(kept.thing), mark: plain(kept.mark)))
            })
    }

    private func plainHeld(_ held: AllocationRecord) -> String {
        held.kind == "mac" || held.slot == "look" ? "…" : plainName(held.value)
    }

    /// The suffix of a second name is random.
    private func plainName(_ text: String) -> String {
        text.replacing(/(jane)-[a-z0-9]{4}/) { "\($0.output.1)-…" }
    }
}

extension SiteAct {
    fileprivate func order(_ service: String?, _ stage: SiteStage) async throws -> ServiceOperation {
        switch verb {
        case "provision": return try await stage.create()
        case "restore-into":
            return try await stage.operations.restoreBackup(
                stage.newestBackup(service), into: RestoreRequest(externalID: "copy"), by: SiteStage.by)
        case "remove-backup":
            return try await stage.operations.removeBackup(stage.newestBackup(service), by: SiteStage.by)
        case "upgrade":
            return try await stage.operations.upgrade(
                service ?? "", UpgradeRequest(plan: "standard"), by: SiteStage.by)
        default:
            return try await stage.operations.order(
                verb, on: service ?? "", parameters: parameters, by: SiteStage.by)
        }
    }
}

extension SiteStage {
    /// The customer puts the proof into DNS.
    func tellProof(_ service: String) async throws {
        for domain in try await store.domains(service: service) {
            outside.change { $0.told["TXT \(domain.proofName)"] = ["v=spf1 -all", domain.proofValue] }
        }
    }

    func newestBackup(_ service: String?) async throws -> String {
        try await store.newestBackup(service: service ?? "")?.id ?? ""
    }
}
