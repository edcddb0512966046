import DriverKit
import TestSupport
import Testing
import WireProtocol
import ZFSDriver

/// Tools that do anything but answer, and what the driver calls that.
@Suite struct HostileToolTests {
    static let deeds =
        HostileDeed.common + [
            HostileDeed("head -c 40000000 /dev/zero", .failed, "more than 16 MiB"),
            HostileDeed("head -c 40000000 /dev/zero >&2", .failed, "more than 16 MiB"),
            HostileDeed("echo half a; kill -KILL $$", .failed, "killed by signal 9"),
            HostileDeed("echo no such pool >&2; kill -SEGV $$", .failed, "killed by signal 11"),
            HostileDeed(#"printf '\377\376\t\t\t\n\t\t\n'"#, .notFound, "there is no dataset"),
            HostileDeed("exit 0", .notFound, "there is no dataset"),
        ]

    @Test(arguments: deeds)
    func `a tool that only looks is named for what it did`(deed: HostileDeed) async throws {
        let tool = try ToolScript(deed.script, patience: deed.code == .timedOut ? .seconds(3) : .seconds(30))
        let call = ActionCall(
            action: "dataset.usage", resource: "zfs/tank/a", arguments: ["dataset": "tank/a"])
        let error = await #expect(throws: DriverError.self) { try await tool.driver.perform(call, tool.context) }
        #expect(deed.isNamed(by: error), "\(String(describing: error))")
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
        let call = ActionCall(
            action: "dataset.quota", resource: "zfs/tank/a", arguments: ["dataset": "tank/a", "quota_bytes": 5])
        let (driver, context) = (tool.driver, tool.context)
        let task = Task { try await driver.perform(call, context) }
        while try !tool.record().contains("begun") { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .unknownOutcome && error?.retryable == true)
        #expect(error?.message == message)
    }
}
