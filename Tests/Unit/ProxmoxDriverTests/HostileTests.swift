import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

/// Tools that do everything wrong, in the place of the node's own.
@Suite struct HostileTests {
    /// A node whose `pct` is a script. `$real` is the tool itself.
    private func node(_ script: String, patience: Duration = .seconds(60)) async throws -> EmulatedNode {
        let node = try await EmulatedNode(patience: patience)
        try await node.pct("create", "101", EmulatedNode.template, "--rootfs", "local:1")
        let tool = node.folder.file("usr/sbin/pct")
        #expect(rename(tool, tool + ".real") == 0)
        try node.write("#!/bin/sh\nreal=\(tool).real\n\(script)\n", to: "usr/sbin/pct")
        #expect(chmod(tool, 0o755) == 0)
        return node
    }

    private func starting(_ node: EmulatedNode) async -> DriverError? {
        await #expect(throws: DriverError.self) { try await node.perform("container.start") }
    }

    @Test func `what is no text is told as far as it is`() async throws {
        let error = await starting(try await node("printf 'bad \\377\\376 news' >&2; exit 255"))
        #expect(error?.code == .failed && error?.cause?.contains("news") == true)
    }

    @Test func `a tool that is killed leaves an unknown outcome, unless all is as wanted`() async throws {
        let error = await starting(try await node("kill -KILL $$"))
        #expect(error?.code == .unknownOutcome && error?.retryable == true)
        let done = try await node("$real \"$@\"; kill -KILL $$")
        #expect(try await done.perform("container.start").changed)
    }

    @Test func `a tool that fails after its work has done it`() async throws {
        let node = try await node("$real \"$@\"; echo 'CT 101 already running' >&2; exit 255")
        #expect(try await node.perform("container.start").changed)
    }

    @Test func `a tool that reports success and did nothing has failed`() async throws {
        let node = try await node("exit 0", patience: .milliseconds(300))
        #expect(await starting(node)?.code == .failed)
        let snapshot = await #expect(throws: DriverError.self) {
            try await node.perform("snapshot.ensure", ["snapshot": "one"])
        }
        #expect(snapshot?.code == .failed)
    }

    @Test func `a tool that closes its output early is waited for`() async throws {
        let node = try await node(
            "case $1 in start) exec >&- 2>&-; sleep 0.3; $real \"$@\" >/dev/null 2>&1;; *) exec $real \"$@\";; esac")
        #expect(try await node.perform("container.start").changed)
    }

    @Test func `a grandchild that keeps the output open does not hold the call`() async throws {
        let node = try await node("$real \"$@\"; sleep 300 & echo $! > \"$0.grandchild\"")
        #expect(try await node.perform("container.start").changed)
        let pid = try #require(node.text("usr/sbin/pct.grandchild").flatMap { pid_t($0.dropLast()) })
        #expect(kill(pid, SIGKILL) == 0)
    }

    @Test func `a flood on both outputs is drained and only its beginning kept`() async throws {
        let node = try await node(
            "yes flood | head -c 30000000; yes flood | head -c 30000000 >&2; case $1 in start) $real \"$@\";; esac; exit 255"
        )
        let before = FileText.number(in: "/proc/self/statm") ?? 0
        #expect(try await node.perform("container.start").changed)
        let grown = ((FileText.number(in: "/proc/self/statm") ?? 0) - before) * 4096
        #expect(grown < 512 << 20)
    }

    @Test func `one that hangs holds up neither its neighbours nor what is read`() async throws {
        let node = try await node(
            "case $1$2 in start101) trap '' TERM; touch \"$0.hangs\"; sleep 3; sleep 2;; esac; exec $real \"$@\"")
        let hanging = Task { try await node.perform("container.start") }
        #expect(await eventually { node.text("usr/sbin/pct.hangs") != nil })
        #expect(try await node.create(102, ["start": true]).changed)
        #expect(try await node.driver.inventory().count == 2)
        #expect(!hanging.isCancelled)
        #expect(try await hanging.value.changed)
    }

    @Test func `a look that hangs ends in time`() async throws {
        let node = try await EmulatedNode(patience: .milliseconds(500))
        let tool = node.folder.file("usr/sbin/pvesm")
        #expect(unlink(tool) == 0)
        try node.write("#!/bin/sh\nsleep 300\n", to: "usr/sbin/pvesm")
        #expect(chmod(tool, 0o755) == 0)
        let error = await #expect(throws: DriverError.self) { try await node.create() }
        #expect(error?.code == .timedOut && error?.retryable == true && node.configuration() == nil)
    }

    @Test func `tools that have gone are unavailable`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        #expect(unlink(node.folder.file("usr/sbin/pct")) == 0)
        #expect(await starting(node)?.code == .unavailable)
    }

    @Test func `columns and numbers that are none are skipped`() {
        let text =
            "Volid Format Type Size VMID\nlocal:backup/vzdump-lxc-101-x.tar tar backup ~123 101\nbroken\n\nlocal:x raw rootdir - \u{FFFD}"
        let found = Volume.parse(text)
        #expect(found.count == 2 && found[0].sizeBytes == nil && found[0].vmid == 101 && found[1].vmid == nil)
        #expect(Storage.parse("\u{0}\n local dir active x y z %").isEmpty)
        #expect(SizeText.bytes("9e99G") == nil && SizeText.bytes("-1G") == nil && SizeText.bytes("nanG") == nil)
    }
}
