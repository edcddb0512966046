import APIModels
import Processes
import SiteSupport
import StandIns
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// A receiver hears what happens to services, whatever dies meanwhile.
    @Suite struct WebhookTests {
        private func add(_ site: Site, _ receiver: StandIns, _ path: String, _ more: String...) async throws -> String {
            let words = [
                "webhook", "add", path, "--url", receiver.url(.receiver) + path, "--allow-private", "-o", "json",
            ]
            let outcome = try await site.innctl(words + more)
            let made = try JSONParser.parse(Array(outcome.outputText.utf8))
            let (id, secret) = (try #require(made["id"]?.asString), try #require(made["secret"]?.asString))
            try await receiver.change(.receiver, ["secrets": [path: [.string(secret)]]])
            return id
        }

        private func got(_ receiver: StandIns, _ path: String) async throws -> [(id: String, type: String)] {
            let got = try await receiver.state(.receiver)["got"]?.asArray ?? []
            return got.filter { $0["path"]?.asString == path }.map {
                ($0["id"]?.asString ?? "", $0["type"]?.asString ?? "")
            }
        }

        @Test func `a service's life is told in order, to whom it concerns`() async throws {
            let site = try await Site.settled
            try await StandIns.withReceiver { receiver in
                try await site.apply(plan: "told")
                let all = try await add(site, receiver, "/all")
                let own = try await add(site, receiver, "/own", "--customer", "c1", "--event", "innkeeper.service.up")
                let other = try await add(site, receiver, "/other", "--customer", "c2")
                try await site.order("webhook", "test", all)
                let accepted = try await site.create("told-1", plan: "told")
                #expect(try await site.front.ended(accepted.operation.id).state == "succeeded")
                try await site.order("service", "suspend", "told-1", "--wait")
                try await site.terminate(try #require(accepted.service?.id))
                let told = ["webhook.test", "service.up", "service.suspended", "service.terminated"]
                #expect(
                    try await eventually {
                        try await got(receiver, "/all").map(\.type) == told.map { "innkeeper.\($0)" }
                    })
                #expect(try await got(receiver, "/own").map(\.type) == ["innkeeper.service.up"])
                #expect(try await got(receiver, "/other").isEmpty)
                let listed = try await site.order("webhook", "deliveries", all, "-o", "json").output
                #expect(!listed.contains("waiting"))
                for id in [all, own, other] { try await site.order("webhook", "remove", id, "--yes") }
                #expect(try await receiver.violations(.receiver) == [])
            }
        }

        @Test func `a controller that dies before it has noted an answer tells it again under the same id`()
            async throws
        {
            let site = try await Site.settled
            try await StandIns.withReceiver { receiver in
                let id = try await add(site, receiver, "/crash")
                // The receiver has it, and its answer is on the way for longer than the controller lives.
                try await receiver.fault(.receiver, ["on": "/crash", "kind": "late", "seconds": 8])
                let sent: DeliveryView = try await site.front.post("/api/v1/webhooks/\(id)/test")
                #expect(try await eventually { try await got(receiver, "/crash").count == 1 })
                await site.controller.kill()
                try site.controller.start()
                try await site.settle()
                #expect(try await eventually { try await got(receiver, "/crash").count == 2 })
                #expect(try await got(receiver, "/crash").map(\.id) == [sent.id, sent.id])
                let path = "/api/v1/webhooks/\(id)/deliveries"
                _ = try await site.front.until(path, as: Listing<DeliveryView>.self) {
                    $0.items.map(\.state) == ["delivered"]
                }
                try await site.order("webhook", "remove", id, "--yes")
            }
        }
    }
}
