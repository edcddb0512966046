import APIModels
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// From a billing call to a running container and back.
    @Suite struct StoryTests {
        @Test func `a service is ordered, watched, suspended, resumed, upgraded and terminated`() async throws {
            let site = try await Site.settled
            try await site.apply(plan: "story")
            let accepted = try await site.create("story-1", plan: "story")
            let service = try #require(accepted.service?.id)
            try await expectLiveSteps(site, accepted.operation.id)
            #expect(try await site.front.ended(accepted.operation.id).state == "succeeded")
            try await site.expectWhole(service)
            try await expectMetrics(site, service)

            let suspended = try await site.order("service", "suspend", "story-1", "--wait")
            #expect(suspended.output.contains("is suspended") && suspended.notes.contains("container done"))
            try await site.expectWhole(service, state: "exited")
            try await site.order("service", "resume", "story-1", "--wait")
            try await site.expectWhole(service)
            try await site.order("service", "upgrade", "story-1", "--memory", "64MiB", "--disk", "48MiB", "--wait")
            try await site.expectWhole(service, memory: 64 << 20, quota: 48 << 20)
            let shown = try await JSONParser.parse(
                Array(site.order("service", "show", "story-1", "-o", "json").output.utf8))
            #expect(shown["state"] == "running" && shown["spec"]?["memory_bytes"] == .integer(64 << 20))
            let ended = try await site.order("service", "terminate", "story-1", "--yes", "--wait")
            #expect(ended.output.contains("is terminated"))
            try await site.expectGone(service)
        }

        /// Every step is told while it happens, in order, and the operation's end last.
        private func expectLiveSteps(_ site: Site, _ operation: String) async throws {
            var told: [String] = []
            try await site.front.events(of: operation) { event in
                switch event.name {
                case "step": told.append("\(event.data["name"]?.asString ?? "") \(event.data["state"]?.asString ?? "")")
                case "operation": told.append(event.data["state"]?.asString ?? "")
                default: break
                }
                return true
            }
            let steps = ["place", "dataset", "image", "container", "snapshot"].flatMap {
                ["\($0) running", "\($0) done"]
            }
            #expect(told.filter { $0.contains(" ") } == steps)
            #expect(told.last == "succeeded")
        }

        private func expectMetrics(_ site: Site, _ service: String) async throws {
            let latest = try await site.front.until(
                "/api/v1/services/\(service)/metrics/latest", as: LatestMetrics.self
            ) { ($0.values["memory.used"] ?? 0) > 0 }
            #expect(latest.subject == service && latest.time != nil)
            let table = try await site.order("metrics", "service", "story-1")
            #expect(table.output.contains("memory.used"))
        }
    }
}
