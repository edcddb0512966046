import DriverKit
import Glibc
import LibvirtDriver
import Logging
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// A libvirt host in a folder: scripts in the place of `virsh` and `journalctl`, and logs.
final class LibvirtHost: Sendable {
    let folder: ScratchFolder
    let driver: LibvirtDriver
    let sent = Mutex("")

    static let web = "8c3f1b1e-0b0a-4c62-9d0e-111111111111"
    static let three = "8c3f1b1e-0b0a-4c62-9d0e-333333333333"

    /// - Parameters:
    ///   - virsh: a shell script that sees what it is asked in `$1` and behind; `$RECORD` is a file to write to.
    ///   - journal: the same in the place of `journalctl`, with all its words.
    init(virsh: String = LibvirtHost.order, journal: String = "exit 0", patience: Duration = .seconds(30)) throws {
        folder = try ScratchFolder("libvirt")
        for name in ["log", "log/qemu"] { try #require(mkdir(folder.file(name), 0o700) == 0) }
        let record = "export RECORD=\(folder.file("record")); echo \"$@\" >>\"$RECORD\"\n"
        // The connection stands in front, and has to be one that cannot change anything.
        let guarded = """
            [ "$1 $2 $3 $4" = '--readonly --quiet --connect qemu:///system' ] || { echo "unguarded: $*" >&2; exit 9; }
            shift 4

            """
        driver = LibvirtDriver(
            tools: LibvirtTools(
                virsh: ["/bin/sh", "-c", record + guarded + virsh, "virsh"],
                journalctl: ["/bin/sh", "-c", record + journal, "journalctl"], logs: folder.file("log"),
                patience: patience), version: "9.0.0")
    }

    /// Two machines, one of which has a name that is a number.
    static let order = """
        case "$*" in
        "list --all --uuid --name")
            printf '%-36s %-30s\\n' \(web) web
            printf '%s %s\\n\\n' \(three) 3 ;;
        "domstats --state")
            printf "Domain: 'web'\\n  state.state=1\\n  state.reason=1\\n\\nDomain: '3'\\n  state.state=5\\n  state.reason=3\\n\\n" ;;
        "dominfo --domain \(web)"|"dominfo --domain \(three)")
            printf 'Id:             7\\nName:           x\\nCPU(s):         2\\nMax memory:     2097152 KiB\\n'
            printf 'Used memory:    1048576 KiB\\nPersistent:     yes\\nAutostart:      disable\\n\\n' ;;
        *) echo "error: unknown command: '$*'" >&2; exit 1 ;;
        esac
        """

    var context: ActionContext {
        ActionContext(
            commandID: "test", logger: Logger(label: "test"),
            output: { [self] _, bytes throws(CancellationError) in
                sent.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            })
    }

    @discardableResult
    func perform(_ operation: String, _ arguments: JSONObject = [:]) async throws(DriverError) -> ActionOutcome {
        try await driver.perform(
            ActionCall(action: operation, resource: "libvirt", arguments: arguments), context)
    }

    func log(_ name: String, _ text: String) throws { try folder.write(Array(text.utf8), to: "log/\(name)") }

    func record() -> String { (try? folder.read("record")).map { String(decoding: $0, as: UTF8.self) } ?? "" }
}
