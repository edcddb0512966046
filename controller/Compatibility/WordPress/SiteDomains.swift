import APIModels
import ControllerCore
import HTTP
import Model
import WireProtocol

/// The domains of a site's customer, in the words of this API.
struct SiteDomains: Sendable {
    /// Where one of them stands.
    struct Standing: Sendable {
        let view: DomainView

        var name: String { view.domain }
        var isActive: Bool { view.state == "active" }
        var isServed: Bool { isActive || view.state == "certified" }

        var json: JSONObject {
            var json: JSONObject = [
                "domain": .string(name), "state": .string(view.state),
                "record": [
                    "type": .string(view.proof.type), "name": .string(view.proof.name),
                    "value": .string(view.proof.value),
                ],
            ]
            json["reason"] = view.reason.map { .string($0) }
            return json
        }
    }

    let all: [Standing]

    init(_ domains: [DomainView]) { all = domains.map { Standing(view: $0) } }

    var served: [String] { all.filter(\.isServed).map(\.name) }

    func standing(of name: String) -> Standing? { all.first { $0.name == name } }
}

extension WordPressAPI {
    /// Takes a domain up for a site; what the site has already stays. Returns what the core calls it.
    func takeUp(_ domain: String, _ site: Site, _ call: APICall) async throws -> String {
        do throws(CoreError) {
            let taken = try await operations.addDomain(domain, to: site.id, by: call.requester)
            return try await queries(call).changed(taken.record).domain
        } catch {
            // The same words for whoever asks: whose a domain is is told to nobody.
            switch error {
            case .conflict(let sentence): throw Problem(.conflict, sentence, field: "domain")
            case .unusable(_, let problem): throw Problem(.invalidField, "domain \(problem)", field: "domain")
            default: throw error
            }
        }
    }

    /// Takes a domain as far as it goes.
    func check(_ domain: String, _ site: Site, _ call: APICall) async throws -> Work {
        let taken = try await operations.checkDomain(domain, of: site.id, by: call.requester)
        return Work(id: try await queries(call).accepted(taken).operation.id)
    }

    // MARK: backups

    func backUp(_ site: Site, _ call: APICall) async throws -> Work {
        let taken = try await operations.backUp(site.id, by: call.requester)
        return Work(id: try await queries(call).accepted(taken).operation.id)
    }

    /// - Parameter backup: the newest without one.
    func restore(_ site: Site, _ backup: String?, _ call: APICall) async throws -> Work {
        var parameters: JSONObject = [:]
        parameters["backup"] = backup.map { .string($0) }
        return try await order("restore", site, parameters, call)
    }
}

extension BackupView {
    /// `backup` is what `/actions/restore` takes.
    var json: JSONObject {
        var json: JSONObject = ["backup": .string(id), "created_at": .string(madeAt.iso8601)]
        json["size_bytes"] = sizeBytes.map { .integer($0) }
        json["verified_at"] = verifiedAt.map { .string($0.iso8601) }
        return json
    }
}
