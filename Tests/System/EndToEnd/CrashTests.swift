import APIModels
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// `kill -9` of either side, and of both, in the middle of every saga, at each thing that an engine does for it. The
    /// operation ends right, once.
    @Suite struct CrashTests {
        @Test(arguments: Life.all, Blow.all)
        func `a service's life goes on as ordered`(life: Life, blow: Blow) async throws {
            let site = try await Site.settled
            let name = "\(life.name)-\(blow.victim)-\(blow.moment)"
            // An image of its own, so that there is something to import.
            try await site.apply(plan: name, image: "site/\(name):1")
            let provision = try await blow.strike(site, life.provision) { try await site.create(name, plan: name) }
            let service = try #require(provision.service)
            try await site.expectWhole(service)
            for (verb, action) in life.later {
                let body =
                    verb == "upgrade" ? #"{"overrides": {"memory_bytes": 67108864, "disk_bytes": 50331648}}"# : nil
                let order = { () async throws -> AcceptedOperation in
                    try await site.front.post("/api/v1/services/\(service)/\(verb)", body)
                }
                if let action {
                    _ = try await blow.strike(site, action, order)
                } else {
                    #expect(try await site.front.ended(order().operation.id).state == "succeeded")
                }
                try await expectState(after: verb, service, site)
            }
        }

        private func expectState(after verb: String, _ service: String, _ site: Site) async throws {
            switch verb {
            case "suspend": try await site.expectWhole(service, state: "exited")
            case "upgrade": try await site.expectWhole(service, memory: 64 << 20, quota: 48 << 20)
            case "terminate": try await site.expectGone(service)
            default: try await site.expectWhole(service)
            }
        }

        /// Steps that need no agent are over in a moment, so the blow comes at them or soon after.
        @Test func `the controller dies at steps of its own`() async throws {
            let site = try await Site.settled
            try await site.apply(plan: "own-steps")
            let created = try await site.create("own-steps", plan: "own-steps")
            let service = try #require(created.service?.id)
            try await strike(site, created.operation.id, "place")
            try await site.expectWhole(service)
            let path = "/api/v1/services/\(service)"
            for (memory, step) in [(48, "room"), (64, "settle")] {
                let accepted: AcceptedOperation = try await site.front.post(
                    "\(path)/upgrade", #"{"overrides": {"memory_bytes": \#(memory << 20)}}"#)
                try await strike(site, accepted.operation.id, step)
                try await site.expectWhole(service, memory: Int64(memory << 20))
            }
            let accepted: AcceptedOperation = try await site.front.post("\(path)/terminate")
            try await strike(site, accepted.operation.id, "release")
            try await site.expectGone(service)
        }

        private func strike(_ site: Site, _ operation: String, _ step: String) async throws {
            try await site.front.events(of: operation) { event in
                !(event.name == "step" && event.data["name"]?.asString == step)
            }
            try await site.controller.restart()
            let ended = try await site.front.ended(operation)
            #expect(ended.state == "succeeded" && ended.steps?.allSatisfy { $0.state == "done" } == true)
        }
    }
}

/// Which action of which saga is struck in the life of one service.
struct Life: Sendable, CustomTestStringConvertible {
    var name: String
    var provision: Action
    /// What follows; without an action it is left in peace.
    var later: [(verb: String, action: Action?)]

    var testDescription: String {
        (["provision at \(provision.engine) \(provision.name)"]
            + later.compactMap { verb, action in action.map { "\(verb) at \($0.engine) \($0.name)" } })
            .joined(separator: ", ")
    }

    static let all = [
        Life(
            name: "dataset", provision: Action(step: "dataset", engine: .zfs, name: "create"),
            later: [
                ("suspend", Action(step: "container", engine: .docker, name: "stop")),
                ("resume", Action(step: "container", engine: .docker, name: "start")), ("terminate", nil),
            ]),
        Life(
            name: "image", provision: Action(step: "image", engine: .docker, name: "image"),
            later: [("terminate", Action(step: "container", engine: .docker, name: "remove"))]),
        Life(
            name: "create", provision: Action(step: "container", engine: .docker, name: "create"),
            later: [("upgrade", Action(step: "quota", engine: .zfs, name: "set")), ("terminate", nil)]),
        Life(
            name: "start", provision: Action(step: "container", engine: .docker, name: "start"),
            later: [("upgrade", Action(step: "limits", engine: .docker, name: "update")), ("terminate", nil)]),
        Life(
            name: "snapshot", provision: Action(step: "snapshot", engine: .zfs, name: "snapshot"),
            later: [("terminate", Action(step: "dataset", engine: .zfs, name: "destroy"))]),
    ]
}
