import DriverKit
import Testing
import WireProtocol
import ZFSDriver

/// Tools that do anything but answer, and what the driver calls that.
@Suite struct HostileToolTests {
    struct Deed: Sendable, CustomTestStringConvertible {
        var script: String
        var code: DriverErrorCode
        /// Words of the message or the cause.
        var words: String
        var testDescription: String { script }
    }

    static let deeds = [
        Deed(script: "echo hm >&2; exec sleep 600", code: .timedOut, words: "hm"),
        Deed(script: "trap '' TERM; while :; do sleep 0.05; done", code: .timedOut, words: "did not answer in time"),
        Deed(script: "kill -STOP $$", code: .timedOut, words: "did not answer in time"),
        Deed(script: "setsid -f sleep 600; sleep 600", code: .timedOut, words: "did not answer in time"),
        Deed(script: "head -c 40000000 /dev/zero", code: .failed, words: "more than 16 MiB"),
        Deed(script: "head -c 40000000 /dev/zero >&2", code: .failed, words: "more than 16 MiB"),
        Deed(script: #"printf 'bad \377\376\n' >&2; exit 2"#, code: .failed, words: "bad \u{FFFD}\u{FFFD}"),
        Deed(script: "exec >&- 2>&-; sleep 0.2; exit 9", code: .failed, words: "code(9)"),
        Deed(script: "echo half a; kill -KILL $$", code: .failed, words: "killed by signal 9"),
        Deed(script: "echo no such pool >&2; kill -SEGV $$", code: .failed, words: "killed by signal 11"),
        Deed(script: #"printf '\377\376\t\t\t\n\t\t\n'"#, code: .notFound, words: "there is no dataset"),
        Deed(script: "exit 0", code: .notFound, words: "there is no dataset"),
    ]

    @Test(arguments: deeds)
    func `a tool that only looks is named for what it did`(deed: Deed) async throws {
        let tool = try ToolScript(deed.script, patience: .seconds(1))
        let call = OperationCall(
            operation: "dataset.usage", resource: "zfs/tank/a", arguments: ["dataset": "tank/a"])
        let error = await #expect(throws: DriverError.self) { try await tool.driver.perform(call, tool.context) }
        #expect(error?.code == deed.code, "\(String(describing: error))")
        let said = "\(error?.message ?? "") \(error?.cause ?? "")"
        #expect(said.contains(deed.words), "\(said)")
    }

    @Test(arguments: [
        ("echo hm >&2; exec sleep 600", "zfs was stopped while it worked"),
        ("trap '' TERM; while :; do sleep 0.05; done", "zfs did not obey and was killed while it worked"),
        ("setsid sh -c 'trap \"\" TERM; sleep 600' & wait", "zfs was stopped while it worked"),
    ])
    func `a tool that is stopped in the middle of a change leaves it unknown how far it came`(
        script: String, message: String
    ) async throws {
        let tool = try ToolScript(
            """
            [ "$1" = get ] && { printf 'tank/a\\tquota\\t0\\tlocal\\n'; exit 0; }
            echo begun >>"$RECORD"
            \(script)
            """)
        let call = OperationCall(
            operation: "dataset.quota", resource: "zfs/tank/a", arguments: ["dataset": "tank/a", "quota_bytes": 5])
        let (driver, context) = (tool.driver, tool.context)
        let task = Task { try await driver.perform(call, context) }
        while try !tool.record().contains("begun") { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .unknownOutcome && error?.retryable == true)
        #expect(error?.message == message)
    }
}
