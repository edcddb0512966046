import DriverKit
import Testing
import WireProtocol

@testable import ZFSDriver

/// A scrub succeeds when the pool tells of it, whatever the tool said to the order.
@Suite struct ScrubTests {
    static let expanding = """
        expand: expansion of raidz2-0 in progress since Wed Aug  7 12:18:13 2024
        \t62.9M / 129M copied at 550K/s, 48.80% done, 00:02:02 to go
        """
    static let before = "  scan: scrub repaired 37.7M in 00:00:38 with 1 errors on Wed Aug  7 12:20:09 2024"

    /// A pool that tells `first` until it is told to scrub, and the `then` in turn, one look each.
    static func pool(_ first: String, _ then: [String], order: String = "") throws -> ToolScript {
        let looks = then.enumerated().map { place, scan in "\(place + 1)) cat <<'END'\n\(scan)\nEND\n;;\n" }.joined()
        return try ToolScript(
            """
            case "$TOOL $1" in
            "zpool scrub") echo "$*" >>"$RECORD"; \(order)
                echo 1 >"$DIRECTORY/state" ;;
            "zpool status") printf '  pool: tank\\n state: ONLINE\\n'
                look=$(cat "$DIRECTORY/state" 2>/dev/null)
                case "$look" in
                "") cat <<'END'
            \(first)
            END
            ;;
                \(looks)
                esac
                [ -n "$look" ] && [ "$look" -lt \(then.count) ] && echo $((look + 1)) >"$DIRECTORY/state"
                printf 'errors: No known data errors\\n' ;;
            *) echo "unexpected $TOOL $*" >&2; exit 1 ;;
            esac
            """)
    }

    static func scrub(_ tool: ToolScript, _ more: JSONObject = [:]) async throws(DriverError) -> ActionOutcome {
        var arguments: JSONObject = ["pool": "tank"]
        for member in more.members { arguments[member.key] = member.value }
        let call = ActionCall(action: "pool.scrub", resource: "zpool/tank", arguments: arguments)
        return try await tool.driver.perform(call, tool.context)
    }

    @Test func `a pool that expands is scrubbed all the same`() async throws {
        let running =
            "  scan: scrub in progress since Wed Aug  7 12:30:00 2024\n\t0B repaired, 1.00% done\n\(Self.expanding)"
        let tool = try Self.pool("\(Self.before)\n\(Self.expanding)", [running])
        let outcome = try await Self.scrub(tool)
        #expect(outcome.changed && outcome.observed["scan"]?["state"] == "running")
        #expect(try tool.record() == "scrub -- tank\n")
    }

    @Test func `the wait ends with the scrub and not with a resilver before it`() async throws {
        let resilver = "  scan: resilvered (mirror-0) 12.0M in 00:00:02 with 0 errors on Wed Aug  7 12:00:00 2024"
        let running = "  scan: scrub in progress since Wed Aug  7 12:30:00 2024\n\t0B repaired, 1.00% done\n\(resilver)"
        let done = "  scan: scrub repaired 0B in 00:00:02 with 0 errors on Wed Aug  7 12:30:02 2024\n\(resilver)"
        let tool = try Self.pool(resilver, [running, running, done])
        let outcome = try await Self.scrub(tool, ["wait": true])
        #expect(outcome.changed && outcome.observed["scan"]?["kind"] == "scrub")
        #expect(outcome.observed["scan"]?["state"] == "finished")
    }

    @Test func `an order that is taken and not followed is no success`() async throws {
        for then in [Self.before, "  scan: error scrub in progress since Wed Aug  7 12:30:00 2024", ""] {
            let tool = try Self.pool(Self.before, [then])
            let error = await #expect(throws: DriverError.self) { try await Self.scrub(tool) }
            #expect(error?.code == .failed && error?.changed == true && error?.retryable == true, "\(then)")
        }
        let running = "  scan: scrub in progress since Wed Aug  7 12:30:00 2024\n\t0B repaired, 1.00% done"
        let tool = try Self.pool(running, [running])
        let error = await #expect(throws: DriverError.self) { try await Self.scrub(tool, ["action": "stop"]) }
        #expect(error?.code == .failed)
    }

    @Test(arguments: [
        ("  scan: scrub canceled on Wed Aug  7 12:31:00 2024", "stopped"),
        ("  scan: scrub paused since Wed Aug  7 12:31:00 2024\n\tscrub started on Wed Aug  7 12:30:00 2024", "paused"),
        ("  scan: resilver in progress since Wed Aug  7 12:31:00 2024", "gave way"),
        ("  scan: words that are new", "not told of"),
    ])
    func `a scrub that does not come to its end is no success of the wait`(end: String, word: String) async throws {
        let running = "  scan: scrub in progress since Wed Aug  7 12:30:00 2024\n\t0B repaired, 1.00% done"
        let tool = try Self.pool(Self.before, [running, end])
        let error = await #expect(throws: DriverError.self) { try await Self.scrub(tool, ["wait": true]) }
        #expect(error?.code == .conflict && error?.message.contains(word) == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        "  scan: resilver (mirror-0) in progress since Wed Aug  7 12:31:00 2024",
        "  scan: resilver in progress since Wed Aug  7 12:31:00 2024",
        " scrub: error scrub in progress since Wed Aug  7 12:31:00 2024",
    ])
    func `beside a resilver or an error scrub none is begun`(scan: String) async throws {
        let tool = try Self.pool("\(Self.before)\n\(scan)", [scan])
        let error = await #expect(throws: DriverError.self) { try await Self.scrub(tool) }
        #expect(error?.code == .busy)
        #expect(try tool.record() == "")
    }
}
