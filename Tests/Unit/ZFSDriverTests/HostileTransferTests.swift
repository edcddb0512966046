import DriverKit
import Glibc
import Testing
import WireProtocol

@testable import ZFSDriver

/// Senders and receivers that do anything but their work.
@Suite struct HostileTransferTests {
    static let header = NewToolTests.header(guid: 7)
    static let looks = """
        case "$*" in
        "send -n "*) echo "invalid option 'n'" >&2; exit 2 ;;
        "receive -n "*) exit 1 ;;
        "get "*target*) echo "cannot open 'tank/target': dataset does not exist" >&2; exit 1 ;;
        "get "*) printf 'tank/a@s1\\tguid\\t7\\t-\\n'; exit 0 ;;
        "list "*) exit 0 ;;
        esac
        """
    static let source: JSONObject = ["dataset": "tank/a", "snapshot": "s1"]

    func send(_ script: String, over wire: Wire = Wire()) async throws -> DriverError? {
        let tool = try ToolScript("\(Self.looks)\n\(script)")
        let call = ActionCall(action: "dataset.send", resource: "zfs/tank/a", arguments: Self.source)
        return await #expect(throws: DriverError.self) { try await tool.driver.perform(call, wire.context) }
    }

    @Test(arguments: [
        ("echo 'warning: cannot send' >&2; kill -KILL $$", "killed by signal 9"),
        ("printf '\\377\\376' >&2; exit 3", "\u{FFFD}"), ("exec >&- 2>&-; exit 9", "code(9)"),
        ("head -c 100000 /dev/zero; echo 'cannot send: I/O error' >&2; exit 1", "I/O error"),
    ])
    func `a sender that fails is named for what it did`(script: String, words: String) async throws {
        let error = try await send(script)
        #expect(error?.code == .failed)
        let said = "\(error?.message ?? "") \(error?.cause ?? "")"
        #expect(said.contains(words), "\(said)")
    }

    @Test func `a sender that floods waits for credit, and nothing is kept meanwhile`() async throws {
        let gate = AsyncStream<Void>.makeStream()
        let wire = Wire(gate: { () throws(CancellationError) in
            for await _ in gate.stream { return }
            throw CancellationError()
        })
        let tool = try ToolScript("\(Self.looks)\nexec cat /dev/zero")
        let call = ActionCall(action: "dataset.send", resource: "zfs/tank/a", arguments: Self.source)
        let task = Task { [driver = tool.driver] in try await driver.perform(call, wire.context) }
        for _ in 0..<4 { gate.continuation.yield() }
        while wire.stdout.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        try await Task.sleep(for: .milliseconds(300))
        #expect(wire.stdout.count <= 4 * (1 << 20), "four pieces and no more")
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test(arguments: ["exec sleep 600", "trap '' TERM; while :; do sleep 0.05; done", "setsid -f sleep 600; sleep 600"])
    func `a sender that hangs ends with its command`(script: String) async throws {
        let tool = try ToolScript("\(Self.looks)\necho begun >>\"$RECORD\"\n\(script)")
        let call = ActionCall(action: "dataset.send", resource: "zfs/tank/a", arguments: Self.source)
        let task = Task { [driver = tool.driver, context = tool.context] in try await driver.perform(call, context) }
        while try tool.record().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test func `a sender that ends while a grandchild holds its pipe is not waited for`() async throws {
        let tool = try ToolScript("\(Self.looks)\nsleep 5 & printf data; exit 0")
        let wire = Wire()
        let start = ContinuousClock.now
        let call = ActionCall(action: "dataset.send", resource: "zfs/tank/a", arguments: Self.source)
        let outcome = try await tool.driver.perform(call, wire.context)
        #expect(outcome.observed["bytes"] == 4 && .now - start < .seconds(60))
    }

    func receive(_ script: String, pieces: Int = 1000) async throws -> DriverError? {
        let tool = try ToolScript("\(Self.looks)\n\(script)")
        let wire = Wire([Self.header] + Array(repeating: [UInt8](repeating: 1, count: 32 << 10), count: pieces))
        let call = ActionCall(
            action: "dataset.receive", resource: "zfs/tank/target", arguments: ["dataset": "tank/target"])
        return await #expect(throws: DriverError.self) { try await tool.driver.perform(call, wire.context) }
    }

    @Test(
        arguments: [
            ("echo 'cannot receive: out of space' >&2; exit 1", .outOfSpace, "out of space"),
            ("exec <&-; sleep 0.3; exit 1", .failed, "without a message"),
            ("kill -KILL $$", .failed, "killed by signal 9"),
            ("head -c 1000 >/dev/null; head -c 3000000 /dev/zero >&2; exit 1", .failed, ""),
            ("cat >/dev/null; exit 0", .notFound, "does not exist"),
        ] as [(String, DriverErrorCode, String)])
    func `a receiver that does not do its work is named for what it did`(
        script: String, code: DriverErrorCode, words: String
    ) async throws {
        let error = try await receive(script)
        let said = "\(error?.message ?? "") \(error?.cause ?? "")"
        // What says that it ended well is believed only when the snapshot is there.
        if code == .notFound {
            #expect(error?.code == .notFound || error?.code == .failed, "\(said)")
            #expect(error?.changed == true)
        } else {
            #expect(error?.code == code && said.contains(words), "\(said)")
        }
    }

    @Test(arguments: ["exec sleep 600", "trap '' TERM; while :; do sleep 0.05; done"])
    func `a receiver that is stopped leaves it unknown how far it came`(script: String) async throws {
        let tool = try ToolScript("\(Self.looks)\necho begun >>\"$RECORD\"\n\(script)")
        let wire = Wire([Self.header])
        let call = ActionCall(
            action: "dataset.receive", resource: "zfs/tank/target", arguments: ["dataset": "tank/target"])
        let task = Task { [driver = tool.driver] in try await driver.perform(call, wire.context) }
        while try tool.record().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .unknownOutcome && error?.retryable == true)
    }

    /// Both ends of the pipe: whichever fails, the other is stopped and the cause is told.
    @Test(arguments: [
        (
            "cat >/dev/null; exit 0", "printf x; echo 'cannot send: pool I/O is currently suspended' >&2; exit 1",
            "suspended"
        ),
        (
            "echo 'cannot receive: out of space' >&2; exit 1", "head -c 312 \"$DIRECTORY/state\"; exec cat /dev/zero",
            "out of space"
        ),
    ])
    func `a copy of which one end fails says which`(receiver: String, sender: String, words: String) async throws {
        let tool = try ToolScript(
            """
            \(Self.looks)
            case "$*" in
            "send "*) \(sender) ;;
            "receive "*) \(receiver) ;;
            esac
            """)
        try tool.write(Self.header, to: "state")
        let call = ActionCall(
            action: "dataset.copy", resource: "zfs/tank/target",
            arguments: ["dataset": "tank/a", "snapshot": "s1", "target": "tank/target"])
        let error = await #expect(throws: DriverError.self) { try await tool.driver.perform(call, tool.context) }
        let said = "\(error?.message ?? "") \(error?.cause ?? "")"
        #expect(said.contains(words), "\(said)")
    }
}
