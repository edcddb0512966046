import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Model
import WireProtocol

/// `POST /stores`.
struct CreateStore: Decodable, Sendable {
    var name: String
    var engine: String
    /// Of the customer, who becomes the administrator; the plan's without it.
    var email: String?
    /// Whose it is; the setting's without it.
    var owner: String?
}

extension StoresAPI {
    func stores(_ prefix: String) -> [Endpoint] {
        [
            Endpoint(
                .post, "\(prefix)/stores", .services,
                .init(summary: "Order a shop", tag: "stores", body: CreateStore.self, status: 202)
            ) { call in
                let shop = try await create(call.model(CreateStore.self), call)
                return .store(shop.brief, status: 202, location: "\(prefix)/stores/\(shop.id)")
            },
            Endpoint(
                .get, "\(prefix)/stores", .read,
                .init(summary: "Shops that are not deleted", tag: "stores", isForCustomers: true, query: ["cursor"])
            ) { call in try await list(call) },
            Endpoint(
                .get, "\(prefix)/stores/{id}", .read,
                .init(summary: "How a shop is", tag: "stores", isForCustomers: true)
            ) { call in .store(try await shop(asked: call).full) },
            Endpoint(
                .delete, "\(prefix)/stores/{id}", .services,
                .init(summary: "Remove a shop with all that it has", tag: "stores", isForCustomers: true)
            ) { call in try await remove(call, "\(prefix)/stores") },
        ]
    }

    func health(_ prefix: String) -> [Endpoint] {
        [
            Endpoint(
                .get, "\(prefix)/health", nil, .init(summary: "Whether orders are taken", tag: "health")
            ) { _ in
                try await operations.isReady()
                return .store(["status": "healthy", "service": "store-provisioning-backend"])
            }
        ]
    }

    // MARK: orders

    private func create(_ body: CreateStore, _ call: APICall) async throws -> Shop {
        guard let plan = settings.plans[body.engine] else {
            let known = settings.plans.keys.sorted().joined(separator: ", ")
            throw Problem(.invalidField, "engine must be one of \(known)", field: "engine")
        }
        let (owner, books) = (body.owner ?? settings.customer, books(call))
        let taken = Problem(.conflict, "Store name '\(body.name.prefix(64))' is taken", field: "name")
        let before = try await Self.isName(body.name) ? shops(named: body.name, books).last : nil
        if let before {
            guard before.service.customer == owner else { throw taken }
            if before.service.state == "failed", before.engine == body.engine {
                return try await again(before, taken, call)
            }
            guard before.service.state == "terminated" else { throw taken }
        }
        try await checkEmail(body, plan, books)
        let number = (before?.number ?? 0) + 1
        var overrides: JSONObject = ["name": .string(body.name), "id": .string(Self.id(of: body.name))]
        overrides["email"] = body.email.map { .string($0) }
        let request = ServiceRequest(
            externalID: Self.externalID(Self.isName(body.name) ? body.name : "-", number), customer: owner, plan: plan,
            overrides: overrides)
        let made: ServiceOperation
        do throws(CoreError) { made = try await operations.createService(request, by: call.requester) } catch {
            switch error {
            // Somebody who asked at the same time was sooner.
            case .conflict: throw taken
            case .notFound: throw Problem(.invalidField, "engine \(body.engine) is not offered", field: "engine")
            default: throw error
            }
        }
        guard let service = try await queries(call).accepted(made).service else { throw taken }
        return try await shop(service, number, books)
    }

    /// What has failed is tried again under its id.
    private func again(_ shop: Shop, _ taken: Problem, _ call: APICall) async throws -> Shop {
        do throws(CoreError) {
            _ = try await operations.retry(shop.service.id, by: call.requester)
            let now = try await queries(call).service(named: shop.service.id)
            return Shop(service: now, facts: shop.facts, number: shop.number)
        } catch {
            guard case .notAllowedInState = error else { throw error }
            throw taken
        }
    }

    /// WordPress has an administrator, and he an address.
    private func checkEmail(_ body: CreateStore, _ plan: String, _ queries: Queries) async throws {
        guard body.email == nil, body.engine == "woocommerce" else { return }
        do throws(CoreError) {
            guard try await queries.plan(plan).spec["email"]?.asString == nil else { return }
        } catch {
            guard case .notFound = error else { throw error }
            throw Problem(.invalidField, "engine \(body.engine) is not offered", field: "engine")
        }
        throw Problem(.invalidField, "email is missing: the plan \(plan) has none either", field: "email")
    }

    /// As the product has them; what else is wrong with it the product says.
    private static func isName(_ text: String) -> Bool {
        (1...46).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    private static func id(of name: String) -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        return "\(name)-\(String((0..<6).map { _ in letters.randomElement() ?? "x" }))"
    }

    // MARK: lists

    /// Some at a time; the answer says where the next begin.
    private func list(_ call: APICall) async throws -> Answer {
        let queries = queries(call)
        var (found, part) = ([JSONValue](), ListPart(after: call.query["cursor"], limit: 100))
        var next: String?
        repeat {
            let page = try await queries.services(ServiceQuestion(), part)
            for service in page.items
            where service.product == Self.product && service.externalID?.hasPrefix("\(Self.source):") == true {
                let whole = service.state == "failed" || service.state == "terminating"
                found.append(
                    .object(
                        try await shop(
                            whole ? queries.service(named: service.id) : service, 0, queries
                        ).json))
            }
            (next, part.after) = (page.next, page.next)
        } while next != nil && found.count < 100
        var body: JSONObject = ["stores": .array(found)]
        body["next"] = next.map { .string($0) }
        return .store(body)
    }

    // MARK: removal

    private func remove(_ call: APICall, _ path: String) async throws -> Answer {
        let shop = try await shop(asked: call)
        if shop.service.state != "terminated" {
            let operation = try await removal(of: shop, call)
            let ended = try await queries(call).end(
                ofOperation: operation, in: history, within: call.patience(atMost: settings.patience),
                until: call.departure)
            guard ended.state == "succeeded" else {
                let reason = ended.isFinished ? ended.error?.message : nil
                return .store(
                    [
                        "id": .string(shop.id), "status": "DELETING",
                        "message": .string(reason ?? "Store deletion is in progress"),
                    ], status: 202, location: "\(path)/\(shop.id)")
            }
        }
        return .store([
            "id": .string(shop.id), "status": "DELETED", "message": "Store deleted successfully",
        ])
    }

    /// What removes it: what is under way already, or what is begun now.
    private func removal(of shop: Shop, _ call: APICall) async throws -> String {
        if let running = shop.service.operation, running.kind == "terminate", !running.isFinished { return running.id }
        do throws(CoreError) {
            let taken = try await operations.terminate(shop.service.id, by: call.requester)
            return try await queries(call).accepted(taken).operation.id
        } catch {
            // Somebody else who asked at the same time was sooner.
            guard case .notAllowedInState = error,
                let other = try await queries(call).service(named: shop.service.id).operation
            else { throw error }
            return other.id
        }
    }
}

extension Answer {
    static func store(_ body: JSONObject, status: Int = 200, location: String? = nil) -> Answer {
        .json(JSONValue.object(body).encoded, status: status, location: location)
    }
}
