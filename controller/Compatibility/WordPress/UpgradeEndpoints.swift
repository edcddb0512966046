import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import WireProtocol

/// `POST /upgrades/apply`.
struct UpgradeSiteBody: Decodable, Sendable {
    var serviceID: SiteNumber
    var plan: String
}

extension WordPressAPI {
    func upgrades(_ paths: Paths) -> [Endpoint] {
        [
            Endpoint(
                .get, paths("/upgrades/options"), .read,
                .init(
                    summary: "The plans that a site can change to", tag: "upgrades", isForCustomers: true,
                    query: ["service_id"])
            ) { call in try await options(call) },
            Endpoint(
                .get, paths("/upgrades/quote"), .read,
                .init(
                    summary: "What a change of plan would change", tag: "upgrades", isForCustomers: true,
                    query: ["service_id", "plan"])
            ) { call in
                guard let plan = call.query["plan"] else {
                    throw Problem(.invalidField, "plan is missing", field: "plan")
                }
                return .site(try await quote(plan, site(asked: call), call))
            },
            Endpoint(
                .post, paths("/upgrades/apply"), .services,
                .init(
                    summary: "Give a site another plan", tag: "upgrades", isForCustomers: true,
                    body: UpgradeSiteBody.self, repeated: 202)
            ) { call in
                let body = try call.model(UpgradeSiteBody.self)
                let site = try await site(body.serviceID, call)
                // The same again is done already.
                guard site.service.plan != body.plan || site.service.operation?.isFinished == false else {
                    return .site(site.json)
                }
                let taken = try await operations.upgrade(
                    site.id, UpgradeRequest(plan: body.plan), by: call.requester)
                let work = Work(id: try await queries(call).accepted(taken).operation.id)
                return try await answer(work, body.serviceID, paths, call)
            },
        ]
    }

    private func options(_ call: APICall) async throws -> Answer {
        let site = try await site(asked: call)
        var options: [JSONValue] = []
        var part = ListPart(limit: 500)
        while true {
            let page = try await queries(call).plans(part)
            for plan in page.items where plan.product == Self.product && plan.retiredAt == nil {
                options.append(.object(try await option(plan, site, call)))
            }
            guard let next = page.next else { break }
            part.after = next
        }
        return .site([
            "service_id": .string(site.number.text), "plan": .string(site.service.plan), "options": .array(options),
        ])
    }

    private func option(_ plan: Plan, _ site: Site, _ call: APICall) async throws -> JSONObject {
        var option = Self.amounts(plan)
        let isCurrent = plan.name == site.service.plan
        option["current"] = .bool(isCurrent)
        let reason = isCurrent ? "the site has this plan" : try await objection(to: plan.name, site, call)
        option["possible"] = .bool(reason == nil)
        option["reason"] = reason.map { .string($0) }
        return option
    }

    private func objection(to plan: String, _ site: Site, _ call: APICall) async throws -> String? {
        do throws(CoreError) {
            _ = try await operations.quote(site.id, UpgradeRequest(plan: plan), by: call.requester)
            return nil
        } catch {
            guard case .store = error else { return "\(error)" }
            throw error
        }
    }

    private func quote(_ plan: String, _ site: Site, _ call: APICall) async throws -> JSONObject {
        let changes = try await operations.quote(site.id, UpgradeRequest(plan: plan), by: call.requester)
        var quote: JSONObject = [
            "service_id": .string(site.number.text), "from": .string(site.service.plan), "to": .string(plan),
        ]
        quote["changes"] = .object(changes)
        return quote
    }

    private static func amounts(_ plan: Plan) -> JSONObject {
        let spec = plan.spec
        var json: JSONObject = ["plan": .string(plan.name)]
        json["memory_mb"] = spec["memory_bytes"]?.asInteger.map { .integer($0 >> 20) }
        json["disk_gb"] = spec["disk_bytes"]?.asInteger.map { .integer($0 >> 30) }
        (json["cores"], json["domains"]) = (spec["cores"], spec["domains"])
        json["backups"] = spec["backups"]?["retention"]
        return json
    }
}
