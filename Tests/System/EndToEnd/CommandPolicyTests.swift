import APIModels
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// The word of the node's owner.
    @Suite struct CommandPolicyTests {
        private func audit(_ site: Site, _ agent: String = "agent") throws -> [Substring] {
            let bytes = (try? site.folder.read("\(agent)/audit.log")) ?? []
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        }

        @Test func `a pattern opens one container and not the other, and the refusal stands in the node's audit log`()
            async throws
        {
            let laboratory = try await Laboratory.open()
            #expect(try await laboratory.exec(["echo", "in"]).outputText == "in\n")
            let before = try audit(laboratory.site).count
            let refused = try await laboratory.exec(["echo", "in"], in: Laboratory.closed)
            #expect(refused.exit == .code(125) && refused.stdout.isEmpty)
            #expect(refused.errorText.contains("the policy of this node does not allow docker.container.exec"))
            let lines = try audit(laboratory.site).dropFirst(before)
            let line = try #require(lines.first)
            for part in [
                "decision=denied", "operation=docker.container.exec", "resource=docker/\(Laboratory.closed)", "by=key:",
            ] { #expect(line.contains(part), "\(line)") }
        }

        @Test func `a rule of deny wins over what is allowed`() async throws {
            let laboratory = try await Laboratory.open()
            let outcome = try await laboratory.site.innctl([
                "node", "run", laboratory.node, "docker.container.remove", "--resource", "docker/\(Laboratory.guest)",
                "name=\(Laboratory.guest)", "force=true",
            ])
            #expect(outcome.exit == .code(1) && outcome.errorText.contains("policy"), "\(outcome.errorText)")
            #expect(try await laboratory.exec(["true"]).exit == .code(0))
        }

        @Test func `without a policy file commands in guests are off`() async throws {
            let site = try await Site.undisturbed
            try await site.enrol("plain", label: "role=guest")
            let agent = try site.installation.agent(
                "plain", launcher: site.zfs.launcher,
                configuration: ["drivers": ["docker"], "docker_socket": .string(site.docker.socket)])
            try agent.start()
            try await site.node("plain") { $0.state == "connected" }
            let laboratory = try await Laboratory.open()
            let refused = try await laboratory.exec(["true"], on: site.node("plain"))
            #expect(refused.exit == .code(125))
            #expect(refused.errorText.contains("no rule allows it by name"), "\(refused.errorText)")
            #expect(try audit(site, "plain").count == 1)
            let offers = try await site.order("node", "actions", site.node("plain")).output
            #expect(offers.contains("no (the policy must name it)"))
            await agent.stop()
        }
    }
}
