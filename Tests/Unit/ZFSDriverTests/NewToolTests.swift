import DriverKit
import Testing
import WireProtocol

@testable import ZFSDriver

/// What OpenZFS 2.x can do beyond the old tools, played by scripts after its documented behaviour.
@Suite struct NewToolTests {
    func call(_ operation: String, _ arguments: JSONObject, _ resource: String = "zfs/tank/a") -> ActionCall {
        ActionCall(action: operation, resource: resource, arguments: arguments)
    }

    /// The first record of a stream, as a shell prints it.
    static func header(guid: UInt8, base: UInt8 = 0, version: UInt8 = 1) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: StreamHeader.length)
        bytes.replaceSubrange(8..<16, with: [0xAC, 0xCB, 0xBA, 0xF5, 2, 0, 0, 0])
        (bytes[16], bytes[32], bytes[40], bytes[48]) = (version, 2, guid, base)
        return bytes
    }

    @Test func `a receive asks what the tool knows, once, and gives the stream no say`() async throws {
        let tool = try ToolScript(
            """
            echo "$*" >>"$RECORD"
            case "$*" in
            "receive -n "*) echo "cannot receive: failed to read from stream" >&2; exit 1 ;;
            "receive "*) cat >"$DIRECTORY/state" ;;
            "list "*) [ -s "$DIRECTORY/state" ] && echo tank/b@s1; exit 0 ;;
            "get "*tank/b@s1) printf 'tank/b@s1\\tguid\\t7\\t-\\n' ;;
            "get "*) [ -s "$DIRECTORY/state" ] || { echo "cannot open 'tank/b': dataset does not exist" >&2; exit 1; }
                printf 'tank/b\\tguid\\t5\\t-\\ntank/b\\treceive_resume_token\\t-\\t-\\n' ;;
            esac
            """)
        let wire = Wire([Self.header(guid: 7), Array(repeating: 1, count: 100_000)])
        let outcome = try await tool.driver.perform(
            call("dataset.receive", ["dataset": "tank/b"], "zfs/tank/b"), wire.context)
        #expect(outcome.changed && outcome.observed["guid"] == "7" && outcome.observed["bytes"] == 100_312)
        let again = try await tool.driver.perform(
            call("dataset.receive", ["dataset": "tank/b"], "zfs/tank/b"), Wire([Self.header(guid: 7)]).context)
        #expect(!again.changed)
        let receives = try tool.record().split(separator: "\n").filter { $0.hasPrefix("receive") }
        #expect(
            receives == [
                "receive -n -u -- tank/b", "receive -n -s -- tank/b", "receive -n -x sharenfs -- tank/b",
                "receive -u -s -x mountpoint -x sharenfs -x sharesmb -o setuid=off -o devices=off -o readonly=on -- tank/b",
            ])
    }

    @Test func `what is received anew is marked by the receive itself, and overwrites nothing that came meanwhile`()
        async throws
    {
        let tool = try ToolScript(
            """
            case "$*" in
            "receive -n "*) exit 1 ;;
            "receive "*) echo "$*" >>"$RECORD"; cat >/dev/null; exit 1 ;;
            "set "*) echo "$*" >>"$RECORD" ;;
            "get "*) echo "cannot open 'tank/b': dataset does not exist" >&2; exit 1 ;;
            esac
            """)
        let mark: JSONValue = ["service": "svc_1", "nonce": "n1"]
        _ = try? await tool.driver.perform(
            call("dataset.receive", ["dataset": "tank/b", "overwrite": true, "mark": mark], "zfs/tank/b"),
            Wire([Self.header(guid: 7)]).context)
        #expect(
            try tool.record() == """
                receive -u -s -x mountpoint -x sharenfs -x sharesmb -o setuid=off -o devices=off -o readonly=on \
                -o innkeeper:owner=svc_1 -o innkeeper:nonce=n1 -- tank/b

                """)
    }

    @Test func `an interrupted receive is kept, told of, and thrown away`() async throws {
        let tool = try ToolScript(
            """
            case "$*" in
            "receive -n "*) exit 1 ;;
            "receive -A "*) echo "abort" >>"$RECORD"; : >"$DIRECTORY/state" ;;
            "receive "*) head -c 400 >/dev/null; echo part >"$DIRECTORY/state"
                echo "cannot receive new filesystem stream: checksum mismatch or incomplete stream." >&2
                echo "Partially received snapshot is saved." >&2
                echo "A resuming stream can be generated on the sending system by running:" >&2
                echo "    zfs send -t 1-c740b4779-b8-789c" >&2; exit 1 ;;
            "list "*) ;;
            "get "*) [ -s "$DIRECTORY/state" ] || { echo "cannot open 'tank/b': dataset does not exist" >&2; exit 1; }
                printf 'tank/b\\tguid\\t5\\t-\\ntank/b\\treceive_resume_token\\t1-c740b4779-b8-789c\\t-\\n' ;;
            esac
            """)
        let arguments: JSONObject = ["dataset": "tank/b"]
        let error = await #expect(throws: DriverError.self) {
            try await tool.driver.perform(
                call("dataset.receive", arguments, "zfs/tank/b"), Wire([Self.header(guid: 7)]).context)
        }
        #expect(error?.retryable == true && error?.changed == true)
        #expect(error?.message.contains("receive.state") == true)
        let state = try await tool.driver.perform(call("receive.state", arguments), tool.context)
        #expect(state.observed["resume_token"] == "1-c740b4779-b8-789c")
        #expect(try await tool.driver.perform(call("receive.abort", arguments, "zfs/tank/b"), tool.context).changed)
        #expect(try await !tool.driver.perform(call("receive.abort", arguments, "zfs/tank/b"), tool.context).changed)
        #expect(try tool.record() == "abort\n")
    }

    @Test func `a token is sent only for the dataset that it stands for, and progress has a measure`() async throws {
        let tool = try ToolScript(
            """
            case "$*" in
            "send -n -P -t "*) printf 'resume token contents:\\nnvlist version: 0\\n\\tobject = 0x1\\n\\ttoname = tank/a@s1\\n'
                printf 'full\\ttank/a@s1\\t1000\\nsize\\t1000\\n' ;;
            "send -t "*) echo "$*" >>"$RECORD"; printf '%0500d' 0 ;;
            "get "*) ;;
            *) echo "unexpected $*" >&2; exit 1 ;;
            esac
            """)
        let wire = Wire()
        let outcome = try await tool.driver.perform(
            call("dataset.send", ["dataset": "tank/a", "resume_token": "1-c740-b8-789c"]), wire.context)
        #expect(outcome.observed["bytes"] == 500 && outcome.observed["estimated_bytes"] == 1000)
        #expect(wire.stdout.count == 500)
        let error = await #expect(throws: DriverError.self) {
            try await tool.driver.perform(
                call("dataset.send", ["dataset": "tank/b", "resume_token": "1-c740-b8-789c"], "zfs/tank/b"),
                wire.context)
        }
        #expect(error?.code == .invalidArgument && error?.message.contains("tank/a@s1") == true)
        #expect(try tool.record() == "send -t 1-c740-b8-789c\n")
        for token in ["", "-t", "1-2-3", "1-2-3-4; rm", "1-2-3-G", "--help-a-b"] {
            let refused = await #expect(throws: DriverError.self) {
                try await tool.driver.perform(
                    call("dataset.send", ["dataset": "tank/a", "resume_token": .string(token)]), wire.context)
            }
            #expect(refused?.code == .invalidArgument)
        }
    }

    @Test func `bookmarks are made once and go once`() async throws {
        let tool = try ToolScript(
            """
            case "$*" in
            "list "*) [ -s "$DIRECTORY/state" ] && echo 'tank/a#b1'; exit 0 ;;
            "bookmark "*) echo "$*" >>"$RECORD"; echo 1 >"$DIRECTORY/state" ;;
            "destroy "*) echo "$*" >>"$RECORD"; : >"$DIRECTORY/state" ;;
            "get "*'tank/a#b1') [ -s "$DIRECTORY/state" ] || { echo "cannot open 'tank/a#b1': dataset does not exist" >&2; exit 1; }
                printf 'tank/a#b1\\tguid\\t7\\t-\\ntank/a#b1\\tcreation\\t1700000000\\t-\\n' ;;
            "get "*tank/a@s2) printf 'tank/a@s2\\tguid\\t8\\t-\\n' ;;
            "get "*) printf 'tank/a@s1\\tguid\\t7\\t-\\ntank/a\\tguid\\t5\\t-\\n' ;;
            esac
            """)
        let arguments: JSONObject = ["dataset": "tank/a", "snapshot": "s1", "bookmark": "b1"]
        let first = try await tool.driver.perform(call("bookmark.ensure", arguments), tool.context)
        #expect(first.changed && first.observed["guid"] == "7" && first.observed["created"] == 1_700_000_000_000)
        #expect(try await !tool.driver.perform(call("bookmark.ensure", arguments), tool.context).changed)
        var other = arguments
        other["snapshot"] = "s2"
        let error = await #expect(throws: DriverError.self) {
            try await tool.driver.perform(call("bookmark.ensure", other), tool.context)
        }
        #expect(error?.code == .conflict)
        let list = try await tool.driver.perform(call("bookmark.list", ["dataset": "tank/a"]), tool.context)
        #expect(list.observed["bookmarks"]?.asArray?.first?["bookmark"] == "b1")
        let gone: JSONObject = ["dataset": "tank/a", "bookmark": "b1"]
        #expect(try await tool.driver.perform(call("bookmark.destroy", gone), tool.context).changed)
        #expect(try await !tool.driver.perform(call("bookmark.destroy", gone), tool.context).changed)
        #expect(try tool.record() == "bookmark -- tank/a@s1 tank/a#b1\ndestroy -- tank/a#b1\n")
    }

    @Test(arguments: [true, false])
    func `holds are listed with exact times where the tool prints them`(isExact: Bool) async throws {
        let tool = try ToolScript(
            """
            case "$*" in
            "holds -H -p "*) \(isExact ? "printf 'tank/a@s1\\tmy tag\\t1700000000\\n'" : "echo \"invalid option 'p'\" >&2; exit 2") ;;
            "holds -H "*) printf 'tank/a@s1\\tmy tag\\tSat Nov 21 15:16 2026\\n' ;;
            "get "*) printf 'tank/a@s1\\tguid\\t7\\t-\\n' ;;
            esac
            """)
        let outcome = try await tool.driver.perform(
            call("snapshot.holds", ["dataset": "tank/a", "snapshot": "s1"]), tool.context)
        let time: JSONValue = isExact ? 1_700_000_000_000 : .null
        #expect(outcome.observed["holds"] == [["tag": "my tag", "created": time]])
    }

    @Test func `differences are told with their names as they are`() async throws {
        let tool = try ToolScript(
            """
            case "$*" in
            "diff "*) printf 'M\\t/\\t/tank/a/\\n+\\tF\\t/tank/a/with\\\\0040blank\\nR\\tF\\t/tank/a/x\\t/tank/a/y\\n-\\t@\\t/tank/a/\\\\0303\\\\0244\\n' ;;
            "get "*) printf 'tank/a@s1\\tguid\\t7\\t-\\ntank/a\\tguid\\t5\\t-\\n' ;;
            esac
            """)
        let wire = Wire()
        let outcome = try await tool.driver.perform(
            call("dataset.diff", ["dataset": "tank/a", "snapshot": "s1"]), wire.context)
        #expect(outcome.observed["count"] == 4 && outcome.observed["complete"] == true)
        #expect(
            outcome.observed["differences"] == [
                ["change": "modified", "kind": "directory", "path": "/tank/a/"],
                ["change": "added", "kind": "file", "path": "/tank/a/with blank"],
                ["change": "renamed", "kind": "file", "path": "/tank/a/x", "new_path": "/tank/a/y"],
                ["change": "removed", "kind": "link", "path": "/tank/a/\u{E4}"],
            ])
        #expect(wire.text.split(separator: "\n").count == 4)
    }

    @Test func `events are told with their pools and devices, and followed until they are stopped`() async throws {
        let block = """
            printf 'Nov 21 2026 15:06:03.123456789\\tereport.fs.zfs.checksum\\n'
            printf '        class = "ereport.fs.zfs.checksum"\\n        pool = "tank"\\n        vdev_path = "/dev/sdb1"\\n'
            printf '        vdev_cksum_errors = 0x3\\n        time = 0x6b07a36b 0x75bcd15 \\n        eid = 0x2a\\n\\n'
            """
        let tool = try ToolScript(
            """
            case "$*" in
            "status "*) printf '  pool: tank\\n state: ONLINE\\n' ;;
            "events -H -v -f "*) \(block); printf 'Nov 21 2026 15:06:04.1\\tsysevent.fs.zfs.scrub_start\\n'; exec sleep 600 ;;
            "events "*) \(block); printf 'Nov 21 2026 15:06:04.1\\tsysevent.fs.zfs.scrub_start\\n        pool = "tank"\\n\\n' ;;
            esac
            """)
        let outcome = try await tool.driver.perform(call("pool.events", ["pool": "tank", "tail": 5]), tool.context)
        let events = try #require(outcome.observed["events"]?.asArray)
        #expect(events.count == 2 && outcome.observed["count"] == 2)
        #expect(events[0]["class"] == "ereport.fs.zfs.checksum" && events[0]["vdev_path"] == "/dev/sdb1")
        #expect(events[0]["time"] == 1_795_662_699_123)
        let wire = Wire()
        let task = Task { [driver = tool.driver] in
            try await driver.perform(call("pool.events", ["pool": "tank", "follow": true]), wire.context)
        }
        while !wire.text.contains("\n") { try await Task.sleep(for: .milliseconds(20)) }
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(try JSONObject(parsing: String(wire.text.dropLast()))["pool"] == "tank")
    }
}
