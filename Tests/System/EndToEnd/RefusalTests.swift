import APIModels
import Processes
import SiteSupport
import TestSupport
import Testing

extension EndToEnd {
    /// What must not work, and how it is said.
    @Suite struct RefusalTests {
        @Test func `the same order twice is one service`() async throws {
            let site = try await Site.settled
            try await site.apply(plan: "twice")
            let body = #"{"external_id": "twice-1", "customer": "c1", "plan": "twice"}"#
            let first: AcceptedOperation = try await site.front.post("/api/v1/services", body, idempotencyKey: "twice")
            let second: AcceptedOperation = try await site.front.post("/api/v1/services", body, idempotencyKey: "twice")
            let third: AcceptedOperation = try await site.front.post("/api/v1/services", body)
            let service = try #require(first.service?.id)
            #expect([second, third].allSatisfy { $0.service?.id == service && $0.operation.id == first.operation.id })
            #expect(try await site.front.ended(first.operation.id).state == "succeeded")
            try await site.expectWhole(service)
            let other = try await site.front.refusal(
                "POST", "/api/v1/services", #"{"external_id": "twice-1", "customer": "c2", "plan": "twice"}"#)
            #expect(other.status == 409 && !other.detail.isEmpty)
            try await site.terminate(service)
        }

        @Test func `a plan that no node can take fails and says why`() async throws {
            let site = try await Site.settled
            try await site.apply(plan: "huge")
            let accepted: AcceptedOperation = try await site.front.post(
                "/api/v1/services",
                #"{"customer": "c1", "plan": "huge", "overrides": {"memory_bytes": 70368744177664}}"#)
            let service = try #require(accepted.service?.id)
            let ended = try await site.front.ended(accepted.operation.id)
            let name = try await site.node { _ in true }.name
            #expect(ended.state == "failed" && ended.error?.code == "no_room")
            #expect(
                ended.error?.message.contains("(\(name)): ") == true && ended.error?.message.contains("memory") == true)
            try await site.expectGone(service)
            try await site.terminate(service)
        }

        @Test func `the quota holds in the container, and none below what is stored is taken`() async throws {
            let site = try await Site.settled
            try await site.apply(plan: "quota")
            let accepted = try await site.create("quota-1", plan: "quota")
            let service = try #require(accepted.service?.id)
            #expect(try await site.front.ended(accepted.operation.id).state == "succeeded")
            let filling = try await site.engines.execute(
                in: service, "dd", "if=/dev/urandom", "of=/data/full", "bs=1M", "count=64")
            #expect(!filling.succeeded)
            #expect(
                ["No space left", "quota exceeded"].contains { filling.errorText.contains($0) }, "\(filling.errorText)")
            let dataset = "\(site.zfs.pool)/innkeeper/\(service)"
            #expect(
                try await eventually {
                    Int64(try await site.engines.property("used", of: dataset)) ?? 0 > 24 << 20
                })
            let upgrade: AcceptedOperation = try await site.front.post(
                "/api/v1/services/\(service)/upgrade",
                #"{"overrides": {"disk_bytes": 16777216, "memory_bytes": 67108864}}"#)
            let ended = try await site.front.ended(upgrade.operation.id)
            #expect(ended.state == "failed" && ended.error?.code == "quota_below_usage")
            let now: Service = try await site.front.get("/api/v1/services/\(service)")
            #expect(now.state == "running")
            try await site.expectWhole(service)
            try await site.terminate(service)
        }

        @Test(arguments: [
            (#"{"customer": 5, "plan": "p"}"#, "customer"), (#"{"customer": "c"}"#, "plan"),
            (#"{"customer": "c", "plan": "p", "colour": 1}"#, "colour"),
            (#"{"customer": "c", "plan": "bad", "overrides": {"memory_bytes": "much"}}"#, "overrides.memory_bytes"),
        ])
        func `a bad body is refused by the name of its field`(body: String, field: String) async throws {
            let site = try await Site.settled
            // What may be asked for beside the plan is a matter of its product.
            try await site.apply(plan: "bad")
            let problem = try await site.front.refusal("POST", "/api/v1/services", body)
            #expect(problem.status == 400 && problem.field == field && problem.detail.contains(field))
        }

        @Test func `a damaged identity is named, and the agent does not run`() async throws {
            let site = try await Site.settled
            try site.copy("agent", to: "damaged")
            let bytes = try site.folder.read("damaged/identity.json")
            for damage in [Array(bytes.prefix(bytes.count / 2)), bytes.map { $0 == 0x2F ? 0x2B : $0 }, []] {
                try site.folder.write(damage, to: "damaged/identity.json")
                let outcome = try await Programs.run(
                    "innkeeper-agent", ["run", "--data", site.folder.file("damaged")])
                #expect(outcome.exit == .code(1))
                #expect(outcome.errorText.contains("identity.json"), "\(outcome.errorText)")
                #expect(outcome.errorText.split(separator: "\n").count == 1, "\(outcome.errorText)")
            }
        }

        @Test func `a damaged store is named, and the controller does not run on it`() async throws {
            let site = try await Site.settled
            let data = site.folder.file("other")
            let made = try await Programs.run("innkeeper-controller", ["init", "--data", data])
            #expect(made.succeeded && made.outputText.contains("ikk1."))
            try site.folder.write([UInt8](repeating: 0x5A, count: 64 << 10), to: "other/controller.sqlite")
            let outcome = try await Programs.run(
                "innkeeper-controller",
                ["serve", "--data", data, "--api", "127.0.0.1:0", "--agents", "127.0.0.1:0"])
            #expect(outcome.exit == .code(1) && outcome.errorText.contains("controller.sqlite"), "\(outcome.errorText)")
            let second = try await Programs.run(
                "innkeeper-controller", ["serve", "--data", site.folder.file("controller")])
            #expect(second.exit == .code(1) && second.errorText.contains("is running on it"), "\(second.errorText)")
        }

        @Test func `a token is good for as many machines as it says`() async throws {
            let site = try await Site.settled
            let token = try await site.order("token", "create", "--uses", "1", "--expires", "15m").output
            var outcomes: [ProcessOutcome] = []
            for name in ["first", "second"] {
                outcomes.append(
                    try await Programs.run(
                        "innkeeper-agent",
                        [
                            "enrol", "--controller", site.addresses.agents, "--token", "-", "--data",
                            site.folder.file(name),
                        ], input: token))
            }
            #expect(outcomes[0].succeeded, "\(outcomes[0].errorText)")
            #expect(
                outcomes[1].exit == .code(1) && outcomes[1].errorText.contains("refused"), "\(outcomes[1].errorText)")
        }
    }
}
