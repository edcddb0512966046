import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import SwagDriver

/// Whose a configuration is: a file that only root may read; what stands in the configuration can be written by its container.
@Suite(.serialized) struct MarkTests {
    private static let names = ["one.example.org"]

    private static func order(_ service: String, _ more: JSONObject = [:]) -> JSONObject {
        var order = ProxySite.order("app1", names, ["mark": ["service": .string(service)]])
        for member in more.members { order[member.key] = member.value }
        return order
    }

    private func driver(_ site: ProxySite) -> SwagDriver {
        SwagDriver(site.driver.access, marks: site.folder.file("marks"))
    }

    @Test func `a configuration bears the mark that it was made with`() async throws {
        let site = try await ProxySite()
        let driver = driver(site)
        #expect(try await site.perform("config.ensure", Self.order("svc_1"), by: driver).changed)
        #expect(driver.marks.mark(of: "app1.subdomain.conf") == Mark(service: "svc_1", nonce: "test"))
        let text = site.content("app1.subdomain.conf")
        for (action, arguments) in [
            ("config.ensure", Self.order("svc_2", ["port": 9090])),
            ("config.remove", ["name": "app1", "mark": ["service": "svc_2"]]),
            ("config.remove", ["name": "app1", "mark": ["service": "svc_1", "nonce": "other"], "unmanaged": true]),
            (
                "config.write",
                [
                    "file": "app1.subdomain.conf", "content": "server {}", "overwrite": true,
                    "mark": ["service": "svc_2"],
                ]
            ),
        ] as [(String, JSONObject)] {
            #expect(await site.failure(action, arguments, by: driver)?.code == .foreign, "\(action)")
        }
        #expect(site.content("app1.subdomain.conf") == text)
        #expect(try await site.perform("config.ensure", Self.order("svc_1", ["port": 9090]), by: driver).changed)
        let end: JSONObject = ["name": "app1", "mark": ["service": "svc_1"]]
        #expect(try await site.perform("config.remove", end, by: driver).changed)
        #expect(driver.marks.mark(of: "app1.subdomain.conf") == nil)
        await site.stop()
    }

    @Test func `a first line that the container forges decides nothing`() async throws {
        let site = try await ProxySite()
        let driver = driver(site)
        _ = try await site.perform("config.ensure", Self.order("svc_1", ["service": "svc_1"]), by: driver)
        let text = try #require(site.content("app1.subdomain.conf"))
        let forged = text.split(separator: "\n", maxSplits: 1)
        try site.folder.write(
            Array("\(ProxySpec.mark) of svc_2\n\(forged[1])".utf8), to: "nginx/proxy-confs/app1.subdomain.conf")
        let theft: JSONObject = ["name": "app1", "mark": ["service": "svc_2"]]
        #expect(await site.failure("config.remove", theft, by: driver)?.code == .foreign)
        let own: JSONObject = ["name": "app1", "mark": ["service": "svc_1"]]
        #expect(try await site.perform("config.remove", own, by: driver).changed)
        await site.stop()
    }

    @Test func `one of before marks is a finding until it is taken into care, a stranger's is foreign`() async throws {
        let site = try await ProxySite()
        let driver = driver(site)
        _ = try await site.perform(
            "config.ensure", ProxySite.order("app1", Self.names, ["service": "svc_1"]), by: driver)
        let order = Self.order("svc_1", ["service": "svc_1", "port": 9090])
        #expect(try await site.perform("config.ensure", order, by: driver).observed["unmarked"] == true)
        let theft: JSONObject = ["name": "app1", "mark": ["service": "svc_2"]]
        #expect(await site.failure("config.mark", theft, by: driver)?.code == .foreign, "its first line names another")
        let care: JSONObject = ["name": "app1", "mark": ["service": "svc_1"]]
        #expect(try await site.perform("config.mark", care, by: driver).changed)
        #expect(try await !site.perform("config.mark", care, by: driver).changed)
        #expect(try await site.perform("config.ensure", order, by: driver).observed["unmarked"] == nil)
        try site.folder.write(Array("# by hand\n".utf8), to: "nginx/proxy-confs/hand.subdomain.conf")
        let hand: JSONObject = ["name": "hand", "mark": ["service": "svc_1"], "unmanaged": true]
        #expect(await site.failure("config.remove", hand, by: driver)?.code == .foreign)
        let marked: JSONObject = ["name": "hand", "mark": ["service": "svc_1"]]
        #expect(await site.failure("config.mark", marked, by: driver)?.code == .foreign)
        await site.stop()
    }

    @Test func `what nginx does not take leaves no mark`() async throws {
        let site = try await ProxySite()
        let driver = driver(site)
        let broken: JSONObject = [
            "file": "bad.subdomain.conf", "content": "server { nonsense; }", "mark": ["service": "svc_1"],
        ]
        #expect(await site.failure("config.write", broken, by: driver)?.code == .invalidArgument)
        #expect(driver.marks.mark(of: "bad.subdomain.conf") == nil)
        await site.stop()
    }
}
