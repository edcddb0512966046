import APIModels
import HTTPFetch
import SiteSupport
import TestSupport
import WireProtocol

/// What is done with a shop, in this order.
enum ShopDeed: String, Sendable, CaseIterable {
    case create, suspend, resume, upgrade, backUp = "back-up", restore, terminate
}

/// Shops of a town, as a billing system orders them.
struct ShopLife: Life {
    static let noun = "shop"
    let town: ShopTown

    var controller: Daemon { town.controller }
    var agent: Daemon { town.agent }

    /// How often somebody looks whether a shop is up is not the same each time.
    func isCertain(_ transition: Transition) -> Bool { !transition.name.contains(".look-") }

    func order(_ deed: ShopDeed, _ number: Int) async throws -> APIModels.Operation {
        let service = "/api/v1/services/life-\(number)"
        let (path, body): (String, JSONObject?)
        switch deed {
        case .create:
            let overrides: JSONObject = ["name": .string("life-\(number)"), "email": "jane@example.org"]
            (path, body) = (
                "/api/v1/services",
                [
                    "external_id": .string("life-\(number)"), "customer": "c1", "plan": "shop",
                    "overrides": .object(overrides),
                ]
            )
        case .upgrade:
            (path, body) = ("\(service)/upgrade", ["overrides": ["version": "9.9.5", "files_gib": 9]])
        case .backUp: (path, body) = ("\(service)/backups", nil)
        case .restore:
            let newest = try await town.backups(of: "life-\(number)").last?.id ?? "none"
            (path, body) = ("/api/v1/backups/\(newest)/restore", nil)
        default: (path, body) = ("\(service)/\(deed.rawValue)", nil)
        }
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let answer = try? await town.front.send(
                "POST", path, body.map { JSONValue.object($0).text }, idempotencyKey: "\(deed)-\(number)")
            if let answer, answer.status < 500 {
                let accepted: AcceptedOperation = try APIClient.model(answer)
                return try await town.front.ended(accepted.operation.id)
            }
            guard ContinuousClock.now < end else { throw SetupFailure("\(path) gets no answer") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    func faults(_ deed: ShopDeed, _ number: Int, _ ended: APIModels.Operation) async throws -> [String] {
        var faults: [String] = []
        if ended.state != "succeeded" { faults.append("it ended as \(ended.state): \(ended.error?.message ?? "")") }
        let spaces = try town.namespaces()
        guard deed != .terminate else {
            let held = try await town.front.send("GET", "/api/v1/allocations?service=\(ended.service ?? "")")
            let text = String(decoding: held.body, as: UTF8.self)
            if !spaces.isEmpty { faults.append("there are namespaces \(spaces.keys)") }
            return faults + (text.contains("\"store-host\"") ? ["it holds \(text)"] : [])
        }
        guard spaces.count == 1, let space = spaces.members.first?.value else {
            return faults + ["there are namespaces \(spaces.keys)"]
        }
        if space["metadata"]?["labels"]?["innkeeper.service"]?.asString != ended.service {
            faults.append("its mark is \(space["metadata"] ?? .null)")
        }
        let objects = space["objects"]?.asArray ?? []
        func count(_ kind: String, _ start: String = "") -> Int {
            objects.count {
                $0["kind"]?.asString == kind && $0["metadata"]?["name"]?.asString?.hasPrefix(start) == true
            }
        }
        let pods = count("Pod", "web") + count("Pod", "db")
        if pods != (deed == .suspend ? 0 : 2) { faults.append("\(pods) pods run") }
        if count("Secret") != 1 || count("PersistentVolumeClaim") != 3 {
            faults.append("there are \(count("Secret")) secrets and \(count("PersistentVolumeClaim")) claims")
        }
        if count("Job", "backup") + count("Job", "restore") > 0 { faults.append("a job of a task is left") }
        let listed = try await town.backups(of: "life-\(number)").compactMap(\.name).sorted()
        let there = (space["backups"]?.asObject?.keys ?? []).sorted()
        let wanted = [.backUp, .restore].contains(deed) ? 1 : 0
        if listed.count != wanted || !Set(there).isSuperset(of: listed) {
            faults.append("backups \(listed) are listed, and \(there) are there")
        }
        return faults
    }
}
