import SiteSupport
import StandIns
import TestSupport
import WireProtocol

/// What is done with a site, in this order.
enum SiteDeed: String, Sendable, CaseIterable {
    case create, suspend, unsuspend, backup, delete

    var path: String {
        switch self {
        case .create: "/create-site"
        case .delete: "/delete-site"
        case .backup: "/actions/backup"
        default: "/\(rawValue)"
        }
    }

    /// What its status is afterwards.
    var status: String {
        switch self {
        case .suspend: "suspended"
        case .delete: "deleted"
        default: "running"
        }
    }
}

/// Sites of a town, as a panel orders them.
struct SiteLife: Life {
    static let noun = "site"
    let town: SiteTown

    var controller: Daemon { town.controller }
    var agent: Daemon { town.agent }

    func order(_ deed: SiteDeed, _ number: Int) async throws -> (status: Int, body: JSONValue) {
        var body: JSONObject = ["service_id": .string("life-\(number)")]
        if deed == .create { (body["email"], body["plan"]) = (.string("life\(number)@example.org"), "basic") }
        let end = ContinuousClock.now + .seconds(120)
        while true {
            let answer = try? await town.ask("POST", deed.path, body)
            if let answer, answer.status != 202,
                answer.status != 502 || answer.body["error"]?.asString?.contains("op_") == true
            {
                return answer
            }
            guard ContinuousClock.now < end else { throw SetupFailure("\(deed.path) gets no answer") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    func faults(
        _ deed: SiteDeed, _ number: Int, _ answer: (status: Int, body: JSONValue)
    ) async throws -> [String] {
        var faults: [String] = []
        if answer.status != 200 || answer.body["status"]?.asString != deed.status {
            faults.append("it is answered with \(answer.status) \(answer.body.text.prefix(500))")
        }
        let (containers, isThere) = (try await town.containers(), deed != .delete)
        if containers.count != (isThere ? 1 : 0) { faults.append("there are containers \(containers)") }
        for number in containers {
            let state = try await town.pct("status", number)
            if state.contains("running") != (deed != .suspend) { faults.append("the container is \(state)") }
        }
        let records = try await town.outside.state(.cloudflare)["records"]?.asArray?.count ?? -1
        if records != (isThere ? 1 : 0) { faults.append("there are \(records) records") }
        if deed == .create {
            let page = try await town.visit("life\(number).sites.example.org")
            if !page.hasSuffix(" 200") { faults.append("the page is \(page)") }
        }
        if deed == .backup {
            let list = try await town.ask("GET", "/actions/backups?service_id=life-\(number)").body["backups"]?.asArray
            if list?.isEmpty != false { faults.append("there is no backup: \(list ?? [])") }
        }
        return faults
    }
}
