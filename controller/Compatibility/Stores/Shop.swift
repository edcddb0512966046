import APIModels
import ControllerCore
import HTTP
import Model
import WireProtocol

/// A shop as this API shows it.
struct Shop: Sendable {
    let service: Service
    /// What the product shows of it.
    let facts: JSONObject
    /// Which of those that have had the name.
    let number: Int

    var id: String { facts["store"]?.asString ?? "" }
    var name: String { facts["name"]?.asString ?? "" }
    var engine: String { facts["engine"]?.asString ?? "" }

    /// Five words are all that there are; one that is suspended is all there, and its reason says so.
    var status: String {
        switch service.state {
        case "pending", "provisioning": "PROVISIONING"
        // Another try stands in line.
        case "failed":
            service.operation.map { $0.kind == "provision" && !$0.isFinished } == true ? "PROVISIONING" : "FAILED"
        case "terminating": "DELETING"
        case "terminated": "DELETED"
        default: "READY"
        }
    }

    private var reason: String? {
        switch service.state {
        case "failed" where status == "PROVISIONING": nil
        case "failed", "terminating": service.operation?.error?.message
        case "suspended": "the shop is suspended"
        default: nil
        }
    }

    /// The answer to an order.
    var brief: JSONObject {
        [
            "id": .string(id), "name": .string(name), "engine": .string(engine), "namespace": .string("store-\(id)"),
            "status": .string(status), "created_at": Self.text(service.createdAt),
        ]
    }

    /// One of a list.
    var json: JSONObject {
        var json = brief
        json["store_url"] = status == "READY" ? facts["url"] ?? .null : .null
        json["failure_reason"] = reason.map { .string($0) } ?? .null
        json["updated_at"] = Self.text(service.updatedAt)
        return json
    }

    /// By itself.
    var full: JSONObject { json.merged(with: ["helm_release": .string(id)]) }

    /// Without a zone, as it always was: UTC.
    private static func text(_ time: Timestamp) -> JSONValue { .string(String(time.iso8601.prefix(19))) }
}

extension StoresAPI {
    static func externalID(_ name: String, _ number: Int) -> String {
        number == 1 ? "\(source):\(name)" : "\(source):\(name):\(number)"
    }

    /// Six letters and digits behind the name.
    static func name(ofStore id: String) -> String? {
        let parts = id.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count > 1, parts.last?.count == 6, id.utf8.count <= 53 else { return nil }
        return String(id.dropLast(7))
    }

    /// All that have had the name, the newest last.
    func shops(named name: String, _ queries: Queries) async throws -> [Shop] {
        var found: [Shop] = []
        while found.count < 1000 {
            let listed = try await queries.services(externalID: Self.externalID(name, found.count + 1)).items
            guard let service = listed.first else { break }
            found.append(try await shop(service, found.count + 1, queries))
        }
        return found
    }

    func shop(_ service: Service, _ number: Int, _ queries: Queries) async throws -> Shop {
        Shop(service: service, facts: try await queries.facts(of: service.id), number: number)
    }

    /// The shop that a path names, as far as whoever asks may see it.
    func shop(asked call: APICall) async throws -> Shop {
        let id = try call.path("id")
        let missing = Problem(.notFound, "Store not found")
        guard let name = Self.name(ofStore: id),
            let known = try await shops(named: name, books(call)).last(where: { $0.id == id })
        else { throw missing }
        do throws(CoreError) {
            let whole = try await queries(call).service(named: known.service.id)
            return Shop(service: whole, facts: known.facts, number: known.number)
        } catch {
            guard case .notFound = error else { throw error }
            throw missing
        }
    }
}
