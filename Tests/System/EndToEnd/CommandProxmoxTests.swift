import APIModels
import Glibc
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// A node with Proxmox's tools, as far as the emulator plays them: its containers are real processes.
    @Suite struct CommandProxmoxTests {
        @Test func `a container is made, entered and destroyed from here`() async throws {
            let laboratory = try await Laboratory.open()
            let site = laboratory.site
            let root = try await emulated(site)
            let agent = try await connected(site, root)
            let node = try site.node("pve")
            func run(_ words: String...) async throws -> ProcessOutcome {
                try await site.innctl(["node", "run", node] + words)
            }
            let made = try await run(
                "proxmox.container.create", "--resource", "proxmox/ct/101", "vmid=101",
                "template=local:vztmpl/debian-12-standard_12.0_amd64.tar.zst",
                #"rootfs={"storage":"local","size_gib":1}"#, "hostname=web1", "memory_mib=512", "cores=1", "start=true")
            #expect(made.succeeded, "\(made.errorText)")
            let inside = try await laboratory.exec(
                ["sh", "-c", "cat; echo err >&2; exit 9"], in: "101", on: node, input: Array("told\n".utf8))
            #expect(inside.exit == .code(9) && inside.outputText == "told\n" && inside.errorText == "err\n")
            let absent = try await laboratory.exec(["no-such-program"], in: "101", on: node)
            #expect(absent.exit == .code(127), "\(absent.errorText)")
            let closed = try await laboratory.exec(["true"], in: "102", on: node)
            #expect(closed.exit == .code(125) && closed.errorText.contains("policy"), "\(closed.errorText)")
            let kept = try await run(
                "proxmox.container.destroy", "--resource", "proxmox/ct/101", "vmid=101", "force=true")
            #expect(kept.exit == .code(1) && kept.errorText.contains("policy"), "\(kept.errorText)")
            #expect(try await run("proxmox.container.stop", "--resource", "proxmox/ct/101", "vmid=101").succeeded)
            await agent.stop()
        }

        @Test func `a node whose cluster came up after the agent is one all the same`() async throws {
            let laboratory = try await Laboratory.open()
            let site = laboratory.site
            let root = try await emulated(site, "late")
            #expect(rename("\(root)/etc/pve", "\(root)/etc/pve.away") == 0 && mkdir("\(root)/etc/pve", 0o755) == 0)
            let agent = try await connected(site, root, "late")
            let node = try site.node("late")
            let early = try await site.innctl(["node", "actions", node])
            #expect(!early.outputText.contains("proxmox.container"), "\(early.outputText)")
            #expect(rmdir("\(root)/etc/pve") == 0 && rename("\(root)/etc/pve.away", "\(root)/etc/pve") == 0)
            let isThere = try await eventually(within: .seconds(120)) {
                try await site.innctl(["node", "run", node, "proxmox.container.list"]).succeeded
            }
            #expect(isThere, "\(agent.log)")
            let operations = try await site.innctl(["node", "actions", node])
            #expect(operations.outputText.contains("proxmox.container.create"))
            await agent.stop()
        }

        private func emulated(_ site: Site, _ name: String = "pve1") async throws -> String {
            let root = site.folder.file("\(name).root")
            mkdir(root, 0o755)
            let script = Checkout.emulator("proxmox/node")
            let made = try await Child.run(ProcessRequest(String(script), [root]))
            guard made.succeeded else { throw SetupFailure("no emulated node: \(made.errorText)") }
            try site.folder.write(JSONValue.object(["pace": 0.01]).encoded, to: "\(name).root/emulator.json")
            return root
        }

        private func connected(_ site: Site, _ root: String, _ name: String = "pve") async throws -> Daemon {
            let policy: JSONObject = [
                "allow": [["operation": "*"], ["operation": "*.exec", "resource": "proxmox/ct/101"]],
                "deny": [["operation": "proxmox.container.destroy"]],
            ]
            let file = try site.folder.write(JSONValue.object(policy).encoded, to: "\(name)-policy.json")
            try await site.enrol(name, label: "role=proxmox")
            let agent = try site.installation.agent(
                name, configuration: ["drivers": ["proxmox"], "host_root": .string(root), "policy": .string(file)])
            try agent.start()
            try await site.node(name) { $0.state == "connected" }
            return agent
        }
    }
}
