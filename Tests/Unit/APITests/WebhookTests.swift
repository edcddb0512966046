import APIModels
import HTTPTypes
import HummingbirdCore
import Store
import Testing
import WireProtocol

@testable import API
@testable import HTTP

/// Webhooks over the API: whose they are, what they may be, and what is shown of them.
@Suite struct WebhookTests {
    private static let path = "/api/v1/webhooks"

    private func body(_ more: String = "", url: String = "https://hooks.example.org/secret-path") -> String {
        #"{"name":"crm","url":"\#(url)"\#(more)}"#
    }

    private func made(_ house: House, _ more: String = "", key: String? = nil) async throws -> WebhookView {
        let reply = try await house.ask(.post, Self.path, body(more), key: key)
        #expect(reply.status == 201, "\(reply.text)")
        return try reply.model(WebhookView.self)
    }

    @Test func `a webhook is made, shown without its secret, changed, switched off and on, and removed`() async throws {
        let house = try await House()
        let made = try await made(house)
        #expect(made.secret?.hasPrefix("whsec_") == true)
        let path = "\(Self.path)/\(made.id)"
        for shown in [path, Self.path] {
            let text = try await house.ask(.get, shown).text
            #expect(text.contains("crm") && !text.contains("whsec_"), "\(shown)")
        }
        let rotated = try await house.ask(.post, "\(path)/rotate").model(WebhookView.self)
        #expect(rotated.secret != nil && rotated.secret != made.secret && rotated.previousSecretUntil != nil)
        let changed = try await house.ask(
            .put, path, #"{"events":["innkeeper.service.up"],"enabled":false}"#
        ).model(WebhookView.self)
        #expect(changed.events == ["innkeeper.service.up"] && changed.disabledAt != nil && changed.url == made.url)
        #expect(try await house.ask(.post, "\(path)/test").status == 409)
        #expect(try await house.ask(.post, "\(path)/replay").status == 409)
        let on = try await house.ask(.put, path, #"{"enabled":true}"#).model(WebhookView.self)
        #expect(on.disabledAt == nil && on.disabledBecause == nil)
        let test = try await house.ask(.post, "\(path)/test")
        #expect(test.status == 202)
        let listed = try await house.ask(.get, "\(path)/deliveries?state=waiting").model(Listing<DeliveryView>.self)
        #expect(listed.items.map(\.event) == ["innkeeper.webhook.test"])
        #expect(try await house.ask(.post, "\(path)/replay", #"{"delivery":"msg_none"}"#).status == 404)
        #expect(try await house.ask(.post, "\(path)/replay").json["replayed"] == 0)
        #expect(try await house.ask(.delete, path).status == 204)
        #expect(try await house.ask(.get, path).status == 404)
        #expect(try await house.store.messages(OutboxFilter()).items.isEmpty)
        let audit = try await house.store.auditLog().items
        #expect(Set(audit.map(\.action)).isSuperset(of: ["webhook.create", "webhook.rotate", "webhook.delete"]))
        for entry in audit { #expect(!entry.detail.text.contains("secret-path"), "\(entry.action)") }
    }

    @Test func `a repeated order is one webhook`() async throws {
        let house = try await House()
        let first = try await house.ask(.post, Self.path, body(), idempotency: "k")
        let second = try await house.ask(.post, Self.path, body(), idempotency: "k")
        #expect(try first.json["id"] == second.json["id"])
        #expect(try await house.ask(.get, Self.path).json["items"]?.asArray?.count == 1)
    }

    @Test(arguments: [
        (#"{"name":"","url":"https://a.example/"}"#, "name"), (#"{"name":"a","url":"http://a.example/"}"#, "url"),
        (#"{"name":"a","url":"https://u:p@a.example/"}"#, "url"),
        (#"{"name":"a","url":"https://a.example/","events":["innkeeper.service.gone"]}"#, "events[0]"),
        (#"{"name":"a","url":"https://a.example/","authority":"no PEM"}"#, "authority"),
        (#"{"name":"a","url":"https://a.example/","customer":"a b"}"#, "customer"),
        (#"{"name":"a","url":"https://a.example/","colour":1}"#, "colour"),
    ])
    func `what cannot be is refused by its field`(body: String, field: String) async throws {
        let reply = try await House().ask(.post, Self.path, body)
        #expect(reply.status == 400)
        #expect(try reply.problem.field == field)
    }

    @Test func `only administrators let the controller knock in private networks`() async throws {
        let house = try await House()
        let seller = try await house.key("services")
        let more = #","allow_private":true"#
        #expect(try await house.ask(.post, Self.path, body(more), key: seller).status == 403)
        let made = try await made(house, more)
        let path = "\(Self.path)/\(made.id)"
        #expect(try await house.ask(.put, path, #"{"url":"https://10.0.0.1/"}"#, key: seller).status == 403)
        #expect(try await house.ask(.put, path, #"{"name":"other"}"#, key: seller).status == 200)
        let open = try await self.made(house, key: seller)
        #expect(
            try await house.ask(.put, "\(Self.path)/\(open.id)", #"{"allow_private":true}"#, key: seller).status == 403)
    }

    @Test func `a customer has webhooks of his own, and no more than ten`() async throws {
        let two = try await TwoCustomers()
        let made = try await made(two.house, key: two.own.key)
        #expect(made.customer == "mine")
        let other = try await two.house.ask(.post, Self.path, body(#","customer":"rival""#), key: two.own.key)
        #expect(other.status == 400)
        #expect(try other.problem.field == "customer")
        let inside = try await two.house.ask(.post, Self.path, body(#","allow_private":true"#), key: two.own.key)
        #expect(inside.status == 403)
        // One of the operator's that is told of him is none of his.
        let operators = try await self.made(two.house, #","customer":"mine","allow_private":true"#)
        let led = try await two.house.ask(
            .put, "\(Self.path)/\(operators.id)", #"{"url":"https://10.0.0.1/"}"#, key: two.own.key)
        #expect(led.status == 404)
        for (method, path) in [("GET", ""), ("DELETE", ""), ("POST", "/rotate")] {
            let answer = try await two.house.ask(
                .init(method)!, "\(Self.path)/\(operators.id)\(path)", key: two.own.key)
            #expect(answer.status == 404, "\(method) \(path)")
        }
        // Who may only look sees where one is, and not the secret that may follow.
        let seen = try await two.house.ask(.get, Self.path, key: two.own.reader).model(Listing<WebhookView>.self)
        #expect(!seen.items.isEmpty && seen.items.allSatisfy { $0.url.hasSuffix(".example.org/…") })
        var last = 201
        for _ in 1...10 { last = try await two.house.ask(.post, Self.path, body(), key: two.own.key).status }
        #expect(last == 409)
        let listed = try await two.house.ask(.get, Self.path, key: two.own.key).model(Listing<WebhookView>.self)
        #expect(listed.items.count == 10 && listed.items.allSatisfy { $0.customer == "mine" })
    }

    @Test func `what is struck off the books or never begins is told in the same transaction`() async throws {
        let house = try await House()
        let made = try await made(house)
        let service = try #require(try await house.addService("bill:1").service?.id)
        #expect(try await house.ask(.post, "/api/v1/services/\(service)/terminate").status == 202)
        let deliveries = try await house.ask(.get, "\(Self.path)/\(made.id)/deliveries").model(
            Listing<DeliveryView>.self)
        #expect(deliveries.items.map(\.event) == ["innkeeper.service.failed"])
        #expect(deliveries.items.map(\.subject) == ["service/\(service)"])
    }
}
