import APIModels
import SiteSupport
import TestSupport
import Testing

extension EndToEnd {
    /// Many orders at once.
    @Suite struct CrowdTests {
        @Test func `six services are made at once, and both sides die on the way`() async throws {
            let site = try await Site.settled
            try await site.apply(plan: "crowd", image: "site/crowd:1")
            let point = Gate.Point(engine: .docker, action: "start", moment: .before)
            try site.gate.close(point)
            defer { site.gate.open(point) }
            let accepted = try await orders(1...6, site)
            try await site.gate.reached(point)
            await site.agent.kill()
            await site.controller.kill()
            site.gate.open(point)
            try site.agent.start()
            try site.controller.start()
            for one in accepted {
                let ended = try await site.front.ended(one.operation.id)
                #expect(ended.state == "succeeded", "\(ended.error?.message ?? "")")
                try await site.expectWhole(try #require(one.service?.id))
            }
            #expect(try await services(site) == Set(accepted.compactMap { $0.service?.id }))
            for one in accepted { try await site.terminate(try #require(one.service?.id)) }
            #expect(try await services(site).isEmpty)
        }

        /// Containers that belong to services; the others are of other tests.
        private func services(_ site: Site) async throws -> Set<String> {
            try await Set(site.engines.containers().map(\.name).filter { $0.hasPrefix("svc_") })
        }

        private func orders(_ numbers: ClosedRange<Int>, _ site: Site) async throws -> [AcceptedOperation] {
            try await withThrowingTaskGroup { group in
                for number in numbers {
                    group.addTask { try await site.create("crowd-\(number)", plan: "crowd") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
    }
}
