import APIModels
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// Every operation of a node's drivers, through `innctl`.
    @Suite struct CommandTests {
        @Test func `a node tells what it can do and what its policy allows`() async throws {
            let laboratory = try await Laboratory.open()
            let table = try await laboratory.site.order("node", "actions", laboratory.node).output
            for name in ["docker.container.exec", "zfs.dataset.send", "host.log.query"] {
                #expect(table.contains(name), "\(name)")
            }
            let json = try await laboratory.site.order("node", "actions", laboratory.node, "-o", "json").output
            let offers = try (JSONParser.parse(Array(json.utf8)).asArray ?? []).map {
                try BodyDecoder.model(ActionOffer.self, from: $0)
            }
            let exec = try #require(offers.first { $0.name == "docker.container.exec" })
            #expect(exec.kind == "mutate" && exec.guarded && exec.allowed)
            let list = try #require(offers.first { $0.name == "docker.container.list" })
            #expect(list.kind == "observe" && !list.guarded && list.allowed)
        }

        @Test func `what can be sold is listed, and the fields of its plans are told`() async throws {
            let site = try await Laboratory.open().site
            #expect(try await site.order("plan", "schema").output.contains("container"))
            let schema = try await site.order("plan", "schema", "container").output
            #expect(try JSONParser.parse(Array(schema.utf8))["properties"]?["memory_bytes"] != nil)
            #expect(schema.contains("\n  \"properties\": {"), "for people to read")
        }

        @Test func `an observing and a changing operation run, and say what they found`() async throws {
            let laboratory = try await Laboratory.open()
            let listed = try await laboratory.run("docker.container.list", "-o", "json").output
            let operation = try BodyDecoder.model(
                APIModels.Operation.self, from: JSONParser.parse(Array(listed.utf8)))
            let containers = try #require(operation.result?["observed"]?["containers"]?.asArray)
            #expect(containers.contains { $0["name"]?.asString == Laboratory.guest })
            let pool = laboratory.site.zfs.pool
            try await laboratory.run(
                "zfs.dataset.ensure", "--resource", "zfs/\(pool)/notes", "dataset=\(pool)/notes",
                "quota_bytes=\(32 << 20)")
            try await laboratory.run(
                "zfs.dataset.snapshot", "--resource", "zfs/\(pool)/notes", "dataset=\(pool)/notes", "snapshot=before")
            #expect(
                try await laboratory.site.engines.datasets(of: "notes") == ["\(pool)/notes", "\(pool)/notes@before"])
            try await laboratory.run("zfs.pool.list")
            let again = try await laboratory.run(
                "zfs.dataset.snapshot", "--resource", "zfs/\(pool)/notes", "dataset=\(pool)/notes", "snapshot=before")
            #expect(again.output.contains(#""changed": false"#), "\(again.output)")
        }

        @Test func `a wrong name or argument is refused in words, before or by the node`() async throws {
            let laboratory = try await Laboratory.open()
            let site = laboratory.site
            let unknown = try await site.innctl(["node", "run", laboratory.node, "docker.container.fly"])
            #expect(unknown.exit == .code(1) && unknown.errorText.contains("can do"), "\(unknown.errorText)")
            let wrong = try await site.innctl(["node", "run", laboratory.node, "docker.container.inspect", "nmae=x"])
            #expect(wrong.exit == .code(1), "\(wrong.errorText)")
            let missing = try await site.innctl([
                "node", "run", laboratory.node, "docker.container.inspect", "--resource", "docker/nope", "name=nope",
            ])
            #expect(missing.exit == .code(1) && missing.errorText.contains("nope"), "\(missing.errorText)")
            let nowhere = try await site.innctl(["node", "run", "nod_nope", "docker.container.list"])
            #expect(nowhere.exit == .code(3), "\(nowhere.errorText)")
        }

        @Test func `one key twice is one command`() async throws {
            let laboratory = try await Laboratory.open()
            let pool = laboratory.site.zfs.pool
            let words = [
                "node", "run", laboratory.node, "zfs.dataset.ensure", "--resource", "zfs/\(pool)/once",
                "dataset=\(pool)/once", "--idempotency-key", "once", "-o", "json",
            ]
            var ids: Set<String> = []
            for _ in 0..<2 {
                let outcome = try await laboratory.site.innctl(words)
                #expect(outcome.succeeded, "\(outcome.errorText)")
                let id = try JSONParser.parse(Array(outcome.outputText.utf8))["id"]?.asString
                ids.insert(try #require(id))
            }
            #expect(ids.count == 1)
            var other = words
            other[6] = "dataset=\(pool)/other"
            let contradiction = try await laboratory.site.innctl(other)
            #expect(contradiction.exit == .code(5), "\(contradiction.errorText)")
        }

        @Test func `the last of what a command said can be read afterwards`() async throws {
            let laboratory = try await Laboratory.open()
            #expect(try await laboratory.exec(["echo", "remember me"]).outputText == "remember me\n")
            let id = try await laboratory.newest().id
            let kept: CommandOutput = try await laboratory.site.front.get("/api/v1/operations/\(id)/output")
            #expect(kept.pieces.compactMap(\.text).joined() == "remember me\n")
        }
    }
}
