import APIModels
import Glibc
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// A dataset on its way from one node to another. Both see one pool here; what they say goes over two links.
    @Suite struct TransferTests {
        /// The second node, and a dataset of the first with some megabytes in a snapshot.
        private struct Route {
            let site: Site
            let second: Daemon
            let source: String
            let target: String
            let name: String

            static func open(_ name: String, mebibytes: Int = 4) async throws -> Route {
                let site = try await Site.undisturbed
                try await site.enrol("second-\(name)", label: "role=guest")
                let second = try site.installation.agent(
                    "second-\(name)", launcher: site.zfs.launcher, configuration: ["drivers": ["zfs"]])
                try second.start()
                try await site.node("second-\(name)") { $0.state == "connected" }
                let pool = site.zfs.pool
                let route = Route(
                    site: site, second: second, source: "\(pool)/from-\(name)", target: "\(pool)/to/\(name)",
                    name: name)
                try await route.command("create", route.source)
                try await route.write(mebibytes, to: "first")
                try await route.command("snapshot", "\(route.source)@one")
                return route
            }

            func command(_ words: String...) async throws {
                let outcome = try await site.zfs.command(Array([site.engines.tool] + words))
                guard outcome.succeeded else { throw SetupFailure("zfs \(words): \(outcome.errorText)") }
            }

            func write(_ mebibytes: Int, to file: String) async throws {
                let outcome = try await site.zfs.command([
                    "/bin/dd", "if=/dev/urandom", "of=\(site.zfs.mountpoint)/from-\(name)/\(file)", "bs=1M",
                    "count=\(mebibytes)",
                ])
                guard outcome.succeeded else { throw SetupFailure("dd: \(outcome.errorText)") }
            }

            func send(_ snapshot: String, _ more: String...) async throws -> ProcessOutcome {
                try await site.innctl(
                    [
                        "transfer", "\(try site.node()):\(source)@\(snapshot)",
                        "\(try site.node("second-\(name)")):\(target)", "--wait",
                    ] + more)
            }
        }

        @Test func `a snapshot arrives whole, and what came since as an increment`() async throws {
            let route = try await Route.open("whole")
            let first = try await route.send("one", "-o", "json")
            #expect(first.succeeded, "\(first.errorText)")
            let accepted = try BodyDecoder.model(
                AcceptedOperation.self, from: JSONParser.parse(Array(first.outputText.utf8)))
            #expect((accepted.operation.result?["bytes"]?.asInteger ?? 0) > 4 << 20, "\(first.outputText)")
            #expect(try await guid(route.target, "one", route) == guid(route.source, "one", route))
            try await route.write(1, to: "second")
            try await route.command("snapshot", "\(route.source)@two")
            let second = try await route.send("two", "--from", "one")
            #expect(second.succeeded, "\(second.errorText)")
            #expect(try await guid(route.target, "two", route) == guid(route.source, "two", route))
            let again = try await route.send("two", "--from", "one")
            #expect(again.succeeded, "what is there already is right: \(again.errorText)")
            await route.second.stop()
        }

        @Test func `what cannot be sent or taken is said, by the end that knows`() async throws {
            let route = try await Route.open("wrong", mebibytes: 1)
            let absent = try await route.send("nope")
            #expect(absent.exit == .code(1) && absent.errorText.contains("the sender:"), "\(absent.errorText)")
            #expect(try await route.site.engines.datasets(of: "to/wrong").isEmpty)
            try await route.command("create", "-p", "-o", "mountpoint=none", route.target)
            let taken = try await route.send("one")
            #expect(taken.exit == .code(1) && taken.errorText.contains("the receiver:"), "\(taken.errorText)")
            await route.second.stop()
            try await route.site.node("second-wrong") { $0.state == "unreachable" }
            let away = try await route.send("one")
            #expect(away.exit == .code(1) && away.errorText.contains("is not connected"), "\(away.errorText)")
        }

        @Test(arguments: ["controller", "receiver", "sender"])
        func `one end dies in the middle: it is said, nothing hangs, and asked for again it arrives`(
            victim: String
        ) async throws {
            let route = try await Route.open(victim, mebibytes: 8)
            let site = route.site
            let accepted: AcceptedOperation = try await site.front.post(
                "/api/v1/transfers",
                """
                {"source": {"node": "\(site.node())", "dataset": "\(route.source)", "snapshot": "one"},
                 "target": {"node": "\(site.node("second-\(victim)"))", "dataset": "\(route.target)"}}
                """)
            let id = accepted.operation.id
            // The first bytes have gone out when the sender tells of them.
            try await site.front.events(of: id) { event in
                !(event.name == "log" && event.data["text"]?.asString?.hasPrefix("sending") == true)
            }
            switch victim {
            case "controller": try await site.controller.restart()
            case "receiver": try await route.second.restart()
            default: try await site.agent.restart()
            }
            let ended = try await site.front.ended(id)
            if ended.state != "succeeded" {
                #expect(ended.state == "failed", "\(ended)")
                #expect(ended.error?.message.isEmpty == false)
            }
            try await site.settle()
            try await site.settle("second-\(victim)")
            let again = try await route.send("one", "--overwrite")
            #expect(again.succeeded, "\(again.errorText)")
            #expect(try await guid(route.target, "one", route) == guid(route.source, "one", route))
            await route.second.stop()
        }

        private func guid(_ dataset: String, _ snapshot: String, _ route: Route) async throws -> String {
            try await route.site.engines.property("guid", of: "\(dataset)@\(snapshot)")
        }
    }
}
