import DriverKit
import Testing
import WireProtocol
import ZFSDriver

/// What OpenZFS 2.x does otherwise than the old tools, played by a script after its documented behaviour.
@Suite struct OpenZFSTests {
    func call(_ operation: String, _ arguments: JSONObject, _ resource: String = "zfs/tank/a") -> ActionCall {
        ActionCall(action: operation, resource: resource, arguments: arguments)
    }

    @Test func `exact pool sizes are used where the tool can print them`() async throws {
        let tool = try ToolScript(
            """
            case "$TOOL $*" in
            "zpool list -H -p -o"*) printf 'tank\\t1000204886016\\t123456789\\t1000081429227\\t12\\tDEGRADED\\n' ;;
            "zfs get "*) printf 'tank\\tavailable\\t968000000000\\t-\\n' ;;
            *) exit 1 ;;
            esac
            """)
        let pools = try await tool.driver.perform(call("pool.list", [:], "zfs"), tool.context).observed["pools"]
        #expect(
            pools == [
                [
                    "name": "tank", "health": "DEGRADED", "size_bytes": 1_000_204_886_016,
                    "allocated_bytes": 123_456_789, "free_bytes": 1_000_081_429_227,
                    "available_bytes": 968_000_000_000,
                ]
            ])
    }

    /// Up to 2.3 a failed mount makes `zfs create` exit with 1 although the dataset is there.
    @Test func `a dataset that was made but not mounted is mounted, not made again`() async throws {
        let tool = try ToolScript(
            """
            state=$(cat "$DIRECTORY/state" 2>/dev/null)
            echo "$1" >> "$RECORD"
            case "$1" in
            get) [ -n "$state" ] || { echo "cannot open 'tank/a': dataset does not exist" >&2; exit 1; }
                printf 'tank/a\\tguid\\t7\\t-\\ntank/a\\tmounted\\t%s\\t-\\n' "$state"
                printf 'tank/a\\tmountpoint\\t/tank/a\\tdefault\\ntank/a\\tcanmount\\ton\\tdefault\\n' ;;
            create) echo no > "$DIRECTORY/state"; echo "cannot mount '/tank/a': failure" >&2
                echo "filesystem successfully created, but not mounted" >&2; exit 1 ;;
            mount) echo yes > "$DIRECTORY/state" ;;
            esac
            """)
        let outcome = try await tool.driver.perform(call("dataset.ensure", ["dataset": "tank/a"]), tool.context)
        #expect(outcome.changed)
        #expect(outcome.observed["mounted"] == true)
        #expect(try tool.record() == "get\nget\ncreate\nget\nget\nget\nmount\nget\n")
    }

    @Test func `a setting that does not take is an error that says what is`() async throws {
        let tool = try ToolScript(
            """
            case "$1" in
            get) printf 'tank/a\\tquota\\t0\\tdefault\\ntank/a\\tmounted\\tyes\\t-\\n' ;;
            esac
            """)
        let error = await #expect(throws: DriverError.self) {
            try await tool.driver.perform(
                call("dataset.ensure", ["dataset": "tank/a", "quota_bytes": 5]), tool.context)
        }
        #expect(error?.code == .failed)
        #expect(error?.message == "quota of tank/a is 0 after it was set to 5")
    }

    @Test func `a suspended pool does not hold a look for ever`() async throws {
        let tool = try ToolScript("exec sleep 600", patience: .milliseconds(300))
        let error = await #expect(throws: DriverError.self) {
            try await tool.driver.perform(call("dataset.usage", ["dataset": "tank/a"]), tool.context)
        }
        #expect(error?.code == .timedOut)
        #expect(error?.retryable == true)
    }

    @Test func `a change that is cancelled while it runs has an unknown outcome`() async throws {
        let tool = try ToolScript(
            """
            case "$1" in
            get) printf 'tank/a\\tguid\\t7\\t-\\n' ;;
            destroy) echo destroying >> "$RECORD"; exec sleep 600 ;;
            esac
            """)
        let task = Task { [driver = tool.driver, context = tool.context] in
            try await driver.perform(call("dataset.destroy", ["dataset": "tank/a"]), context)
        }
        while try !tool.record().contains("destroying") { try await Task.sleep(for: .milliseconds(20)) }
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .unknownOutcome)
        #expect(error?.retryable == true)
        #expect(error?.action == "dataset.destroy")
    }

    @Test func `missing tools are no driver`() async {
        let tools = ZFSTools(zfs: ["/no/zfs"], zpool: ["/no/zpool"])
        #expect(await ZFSDriver.detect(tools) == nil)
    }
}
