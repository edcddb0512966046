import APIModels
import Glibc
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// Bytes through `innctl node run`, both ways: from a file, through pipes, onto a full disk, and broken off.
    @Suite struct CommandBytesTests {
        /// A shell on the operator's machine, where `run` is `innctl node run NODE`.
        private struct Terminal {
            let laboratory: Laboratory
            let node: String
            let folder: ScratchFolder

            init(_ laboratory: Laboratory, _ node: String? = nil) throws {
                (self.laboratory, self.node) = (laboratory, node ?? laboratory.node)
                folder = try ScratchFolder("terminal")
            }

            func shell(_ script: String) async throws -> ProcessOutcome {
                let innctl = try Programs.path("innctl")
                let head = "cd '\(folder.path)'; run() { '\(innctl)' node run '\(node)' \"$@\"; }\n"
                return try await Child.run(
                    ProcessRequest(
                        "/bin/sh", ["-c", head + script], environment: environment, deadline: .seconds(180)))
            }

            /// What must end well; its standard output.
            @discardableResult
            func done(_ script: String) async throws -> String {
                let outcome = try await shell("set -e\n" + script)
                guard outcome.succeeded else { throw SetupFailure("\(script): \(outcome.errorText)") }
                return outcome.outputText
            }

            var environment: [String: String] {
                laboratory.environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }
            }

            /// The newest command for a resource.
            func newest(_ resource: String) async throws -> APIModels.Operation {
                let listing: Listing<APIModels.Operation> = try await laboratory.site.front.get(
                    "/api/v1/operations?kind=command&limit=50")
                guard let found = listing.items.first(where: { $0.command?.resource == resource }) else {
                    throw SetupFailure("no command was asked for")
                }
                return found
            }
        }

        /// A node that the emulators of Proxmox and CloudPanel play, with a container that runs.
        private func emulated(_ name: String, _ settings: JSONObject = [:]) async throws -> (Terminal, Daemon, String) {
            let laboratory = try await Laboratory.open()
            let site = laboratory.site
            let root = site.folder.file("bytes-\(name).root")
            mkdir(root, 0o755)
            for kind in ["proxmox", "cloudpanel"] {
                mkdir("\(root)/\(kind)", 0o755)
                let made = try await Child.run(
                    ProcessRequest(Checkout.emulator("\(kind)/node"), ["\(root)/\(kind)"], deadline: .seconds(60)))
                guard made.succeeded else { throw SetupFailure("no emulated node: \(made.errorText)") }
                var all: JSONObject = ["pace": 0.01]
                for member in settings.members { all[member.key] = member.value }
                try site.folder.write(JSONValue.object(all).encoded, to: "bytes-\(name).root/\(kind)/emulator.json")
            }
            let log = (1...500).map { "Nov 29 18:01:02 host app[1]: line \($0)\n" }.joined()
            try site.folder.write(Array(log.utf8), to: "bytes-\(name).root/proxmox/var/log/syslog")
            let policy = try site.folder.write(
                JSONValue.object(["allow": [["operation": "*"], ["operation": "*.exec"], ["operation": "*.write"]]])
                    .encoded, to: "bytes-\(name).policy")
            try await site.enrol("bytes-\(name)", label: "role=bytes")
            let agent = try site.installation.agent(
                "bytes-\(name)",
                configuration: [
                    "drivers": ["proxmox", "cloudpanel", "host"], "host_root": .string("\(root)/proxmox"),
                    "cloudpanel_root": .string("\(root)/cloudpanel"), "policy": .string(policy),
                ])
            try agent.start()
            try await site.node("bytes-\(name)") { $0.state == "connected" }
            let terminal = try Terminal(laboratory, try site.node("bytes-\(name)"))
            try await terminal.done(
                "run proxmox.container.create vmid=101 template=local:vztmpl/debian-12-standard_12.0_amd64.tar.zst "
                    + #"rootfs='{"storage":"local","size_gib":1}' hostname=web1 memory_mib=512 cores=1 start=true"#)
            return (terminal, agent, root)
        }

        @Test func `a file goes into a container and comes out the same, and its mode is octal`() async throws {
            let (terminal, agent, _) = try await emulated("file")
            let seen = try await terminal.done(
                """
                head -c 3000000 /dev/urandom >blob
                run proxmox.container.push vmid=101 path=/tmp/blob mode=640 <blob >pushed
                grep -q '"size_bytes": 3000000' pushed
                run proxmox.container.pull vmid=101 path=/tmp/blob >out 2>notes
                cmp blob out
                grep -q sha256 notes
                cat blob | run proxmox.container.push --resource proxmox/ct/101 path=/tmp/piped >pushed
                run proxmox.container.pull --resource proxmox/ct/101 path=/tmp/piped | cmp - blob
                run proxmox.container.push vmid=101 path=/tmp/none </dev/null >pushed
                run proxmox.container.pull vmid=101 path=/tmp/none >none 2>notes
                test ! -s none
                run proxmox.container.exec vmid=101 'command=["stat","-c","%a","/tmp/blob"]' 2>notes
                printf told | run proxmox.container.exec vmid=101 stdin=true 'command=["cat"]' 2>notes
                """)
            #expect(seen == "640\ntold")
            await agent.stop()
        }

        @Test func `what cannot be read or written here is a failure, and nothing goes on there`() async throws {
            let (terminal, agent, _) = try await emulated("full")
            try await terminal.done(
                "head -c 3000000 /dev/urandom >blob; run proxmox.container.push vmid=101 path=/blob <blob")
            let full = try await terminal.shell("run proxmox.container.pull vmid=101 path=/blob >/dev/full")
            #expect(full.exit == .code(1) && full.errorText.contains("No space left"), "\(full.errorText)")
            let folder = try await terminal.shell("run proxmox.container.push vmid=101 path=/never </")
            #expect(folder.exit == .code(1) && folder.errorText.contains("Is a directory"), "\(folder.errorText)")
            let pipe = try await terminal.shell("run proxmox.container.pull vmid=101 path=/blob | head -c 10 | wc -c")
            #expect(pipe.outputText.contains("10"))
            let absent = try await terminal.shell(
                "run proxmox.container.pull vmid=101 path=/absent >out; echo $?; wc -c <out")
            #expect(absent.outputText == "1\n0\n", "\(absent.errorText)")
            let never = try await terminal.done(
                #"run proxmox.container.exec vmid=101 'command=["sh","-c","test -e /never; echo $?"]' 2>notes"#)
            #expect(never == "1\n")
            let open = try await eventually {
                let listing: Listing<APIModels.Operation> = try await terminal.laboratory.site.front.get(
                    "/api/v1/operations?kind=command&limit=100")
                return listing.items.filter { $0.node == terminal.node }.allSatisfy(\.isFinished)
            }
            #expect(open, "a command outlived its asker")
            await agent.stop()
        }

        @Test func `a container that is full is a failure there`() async throws {
            let (terminal, agent, _) = try await emulated("there", ["push_limit": 1000])
            let cut = try await terminal.shell(
                "head -c 300000 /dev/zero | run proxmox.container.push vmid=101 path=/blob")
            #expect(cut.exit == .code(1) && cut.errorText.contains("only 1000 of 300000"), "\(cut.errorText)")
            await agent.stop()
        }

        @Test(arguments: ["TERM", "KILL"])
        func `a push whose asker is gone is called off`(signal: String) async throws {
            let (terminal, agent, _) = try await emulated("gone-\(signal)")
            let outcome = try await terminal.shell(
                """
                mkfifo never; sleep 600 >never & feeder=$!
                '\(try Programs.path("innctl"))' node run '\(terminal.node)' proxmox.container.push vmid=101 path=/x <never 2>log &
                asker=$!
                until grep -q running log; do sleep 0.1; done
                kill -\(signal) $asker; wait $asker; code=$?
                kill $feeder; exit $code
                """)
            #expect(outcome.exit == .code(signal == "TERM" ? 143 : 137), "\(outcome.errorText)")
            // Nobody tells of an asker that was killed: its silence does.
            let isOver = try await eventually(within: .seconds(90)) {
                try await terminal.newest("proxmox/ct/101").isFinished
            }
            let ended = try await terminal.newest("proxmox/ct/101")
            #expect(isOver && ended.state == "cancelled", "\(ended.state)")
            await agent.stop()
        }

        @Test func `dumps of a panel and logs of a host`() async throws {
            let (terminal, agent, _) = try await emulated("dump")
            let lines = try await terminal.done(
                """
                { seq 1 200000; echo '-- Dump completed on 2026-11-30  1:02:03'; } >dump
                run cloudpanel.dump.write dump=a.sql <dump >written
                run cloudpanel.dump.read dump=a.sql 2>notes | cmp - dump
                run cloudpanel.dump.read --resource cloudpanel/dump/a.sql >out 2>notes
                cmp out dump
                run host.log.query file=syslog tail=500 2>notes | wc -l
                """)
            #expect(lines == "500\n")
            let cut = try await terminal.shell("seq 1 100000 | run cloudpanel.dump.write dump=b.sql")
            #expect(cut.exit == .code(1) && cut.errorText.contains("not whole"), "\(cut.errorText)")
            let full = try await terminal.shell("run cloudpanel.dump.read dump=a.sql >/dev/full")
            #expect(full.exit == .code(1), "\(full.errorText)")
            await agent.stop()
        }

        @Test func `a command and the log of a Docker container`() async throws {
            let terminal = try Terminal(try await Laboratory.open())
            let seen = try await terminal.done(
                """
                head -c 2000000 /dev/urandom >blob
                run docker.container.exec name=\(Laboratory.guest) stdin=true 'command=["cat"]' <blob >out 2>notes
                cmp blob out
                grep -q exit_code notes
                run docker.container.logs name=\(Laboratory.guest) 2>notes | wc -c
                """)
            #expect(seen == "0\n")
            let wrong = try await terminal.shell(
                "run docker.container.exec --resource docker/\(Laboratory.guest) name=\(Laboratory.closed) "
                    + #"'command=["true"]'"#)
            #expect(wrong.exit == .code(1) && wrong.errorText.contains("name docker/"), "\(wrong.errorText)")
        }

        @Test func `a snapshot as a file, and a dataset out of it`() async throws {
            let terminal = try Terminal(try await Laboratory.open())
            let pool = terminal.laboratory.site.zfs.pool
            let site = terminal.laboratory.site
            try await terminal.done(
                """
                run zfs.dataset.ensure dataset=\(pool)/sent
                run zfs.dataset.snapshot dataset=\(pool)/sent snapshot=2026
                run zfs.dataset.send dataset=\(pool)/sent snapshot=2026 >stream 2>notes
                test -s stream
                run zfs.dataset.receive dataset=\(pool)/came <stream >received
                run zfs.dataset.send --resource zfs/\(pool)/sent snapshot=2026 | run zfs.dataset.receive dataset=\(pool)/piped
                """)
            let guid = try await site.engines.property("guid", of: "\(pool)/sent@2026")
            for name in ["came", "piped"] {
                #expect(try await site.engines.property("guid", of: "\(pool)/\(name)@2026") == guid)
            }
            let full = try await terminal.shell("run zfs.dataset.send dataset=\(pool)/sent snapshot=2026 >/dev/full")
            #expect(full.exit == .code(1) && full.errorText.contains("No space left"), "\(full.errorText)")
            let cut = try await terminal.shell("head -c 1000 stream | run zfs.dataset.receive dataset=\(pool)/cut")
            #expect(cut.exit == .code(1), "\(cut.errorText)")
        }
    }
}
