import DriverKit
import Glibc
import Logging
import Testing
import ZFSDriver

/// A shell script in the place of both tools, for what no real pool of this machine can be brought to say.
final class ToolScript {
    let driver: ZFSDriver
    let context = ActionContext(commandID: "test", logger: Logger(label: "test"))
    private let directory: String

    /// - Parameter body: sees its arguments as the tool does, `$TOOL` (zfs or zpool), `$RECORD` (a file to write to)
    ///   and `$DIRECTORY` (an empty directory).
    init(_ body: String, speaksJSON: Bool = false, patience: Duration = .seconds(30)) throws {
        directory = "/tmp/innkeeper-tool-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try #require(mkdir(directory, 0o755) == 0)
        let script = "export DIRECTORY=\(directory) RECORD=\(directory)/record TOOL=$1; shift\n\(body)"
        let prefix = ["/bin/sh", "-c", script, "tool"]
        driver = ZFSDriver(
            tools: ZFSTools(zfs: prefix + ["zfs"], zpool: prefix + ["zpool"], patience: patience), version: "script",
            speaksJSON: speaksJSON, mountRoots: ["/tank"])
    }

    deinit {
        for name in ["record", "state"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    /// Puts bytes into a file of `$DIRECTORY`.
    func write(_ bytes: [UInt8], to name: String) throws {
        let file = open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        try #require(file >= 0)
        defer { close(file) }
        #expect(Glibc.write(file, bytes, bytes.count) == bytes.count)
    }

    /// What the script has written to `$RECORD`.
    func record() throws -> String {
        let file = open("\(directory)/record", O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
