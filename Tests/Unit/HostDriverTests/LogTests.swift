import DriverKit
import Glibc
import HostDriver
import Testing
import WireProtocol

@Suite struct LogTests {
    static let journal = #"""
        echo "$*" >>"$RECORD"
        printf '%s\n' '{"__REALTIME_TIMESTAMP":"1700000000123456","PRIORITY":"3","_SYSTEMD_UNIT":"nginx.service","_PID":"12","MESSAGE":"no\nway"}'
        printf '%s\n' 'not json'
        printf '%s\n' '{"__REALTIME_TIMESTAMP":"1700000001000000","PRIORITY":"6","SYSLOG_IDENTIFIER":"kernel","MESSAGE":[104,105,255]}'
        printf '%s\n' '{"__REALTIME_TIMESTAMP":"1700000002000000","MESSAGE":null,"UNIT":["a.service","b.service"]}'
        """#

    @Test func `entries of the journal are told in one form, whatever was in them`() async throws {
        let folder = try ToolFolder(["journalctl": Self.journal])
        let collector = Collector()
        let observed = try await folder.perform(
            "journal.query",
            ["unit": "nginx.service", "priority": "warning", "since": 1_700_000_000_001, "tail": 50], into: collector)
        #expect(
            try collector.lines() == [
                [
                    "time": "2023-11-14T22:13:20.123Z", "unit": "nginx.service", "pid": 12, "priority": "error",
                    "message": "no\nway",
                ],
                ["time": "2023-11-14T22:13:21.000Z", "unit": "kernel", "priority": "info", "message": "hi\u{FFFD}"],
                ["time": "2023-11-14T22:13:22.000Z", "unit": "a.service", "message": nil],
            ])
        #expect(observed["entries"] == 3 && observed["dropped"] == 1)
        #expect(observed["first"] == 1_700_000_000_123 && observed["last"] == 1_700_000_002_000)
        let words = folder.record()
        for word in ["--lines=50", "--since=@1700000000.001", "--unit=nginx.service", "--priority=4"] {
            #expect(words.contains(word), "\(words)")
        }
        #expect(!words.contains("--follow"))
    }

    @Test func `the journal is followed until the command is stopped`() async throws {
        let folder = try ToolFolder(["journalctl": "\(Self.journal)\nexec sleep 600"])
        let collector = Collector()
        let task = Task { [driver = folder.driver] in
            try await driver.perform(
                ActionCall(action: "journal.query", resource: "host", arguments: ["follow": true]),
                collector.context)
        }
        while try collector.lines().count < 3 { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(folder.record().contains("--follow"))
    }

    @Test func `a node without a journal says so`() async throws {
        var folder = try ToolFolder(["journalctl": "echo 'No journal files were found.' >&2"])
        var error = await #expect(throws: DriverError.self) { try await folder.perform("journal.query") }
        #expect(error?.code == .unavailable && error?.cause?.contains("log.query") == true)
        folder = try ToolFolder()
        error = await #expect(throws: DriverError.self) { try await folder.perform("journal.query") }
        #expect(error?.code == .unavailable)
        folder = try ToolFolder(["journalctl": "echo 'Failed to parse' >&2; exit 1"])
        error = await #expect(throws: DriverError.self) { try await folder.perform("journal.query") }
        #expect(error?.code == .failed && error?.cause == "Failed to parse")
    }

    @Test(
        arguments: [
            ["unit": "-f"], ["unit": "a b"], ["unit": ""], ["priority": "loud"], ["priority": 8], ["tail": -1],
            ["since": "yesterday"], ["follow": true, "until": 5], ["file": "../../shadow"], ["file": "/etc/shadow"],
        ] as [JSONObject])
    func `what is no query is refused before anything starts`(arguments: JSONObject) async throws {
        let folder = try ToolFolder(["journalctl": Self.journal], files: ["/var/log/syslog": "x\n"])
        for operation in ["journal.query", "log.query"] {
            let error = await #expect(throws: DriverError.self) { try await folder.perform(operation, arguments) }
            #expect(error?.code == .invalidArgument)
        }
        #expect(folder.record() == "")
    }

    static let syslog = """
        2026-11-20T10:00:00.000000+00:00 host nginx[12]: first
        2026-11-20T10:00:01.000000+00:00 host cron: second
          and what belongs to it
        2026-11-20T10:00:02.500000+01:00 host nginx[12]: an hour earlier
        2026-11-20T10:00:03.000000+00:00 host nginx[13]: last: with: colons

        """

    @Test func `lines of a file are told by time, unit and number`() async throws {
        let folder = try ToolFolder(files: ["/var/log/syslog": Self.syslog])
        func messages(_ arguments: JSONObject) async throws -> [String] {
            let collector = Collector()
            _ = try await folder.perform("log.query", arguments, into: collector)
            return try collector.lines().compactMap { $0["message"]?.asString }
        }
        #expect(try await messages([:]).count == 5)
        #expect(try await messages(["tail": 1]) == ["last: with: colons"])
        #expect(try await messages(["unit": "nginx.service", "tail": 2]) == ["an hour earlier", "last: with: colons"])
        #expect(
            try await messages(["since": 1_795_168_801_000, "until": 1_795_168_802_000])
                == ["second", "  and what belongs to it"])
        let missing = await #expect(throws: DriverError.self) { try await messages(["file": "auth.log"]) }
        #expect(missing?.code == .notFound)
        let priority = await #expect(throws: DriverError.self) { try await messages(["priority": 3]) }
        #expect(priority?.code == .unsupported)
    }

    @Test func `what a loss of power has left in a file hides no line`() async throws {
        let gap = String(repeating: "\0", count: 100_000)
        let folder = try ToolFolder(files: [
            "/var/log/syslog":
                "2026-11-20T10:00:00Z host a: cut of\(gap)2026-11-20T10:00:01Z host systemd[1]: x\n\(gap)2026-11-20T10:00:02Z host b: y\n"
        ])
        let collector = Collector()
        let observed = try await folder.perform("log.query", ["since": 0], into: collector)
        #expect(try collector.lines().map { $0["unit"] } == ["a", "systemd", "b"])
        #expect(try collector.lines().map { $0["message"] } == ["cut of", "x", "y"])
        #expect(observed["dropped"] == 0 && observed["entries"] == 3)
    }

    @Test func `dpkg's form and that of RFC 5424 are understood`() async throws {
        let folder = try ToolFolder(files: [
            "/var/log/dpkg.log":
                "2020-11-20 10:00:00 startup archives unpack\n2026-11-20 10:00:01 status installed libc6:amd64 2.36\n",
            "/var/log/messages": #"""
            <34>1 2026-11-20T10:00:00.003Z host su - ID47 - 'su root' failed
            <165>1 2026-11-20T10:00:01Z host app 12 - [a x="1\]"][b] words: here
            <13>1 not a time
            <13>Nov 20 10:00:02.250 host cron[3]: ran

            """#,
            "/var/log/debug": "no time\nnone either\n",
        ])
        func lines(_ file: String, _ arguments: JSONObject = [:]) async throws -> [JSONObject] {
            let collector = Collector()
            var all = arguments
            all["file"] = .string(file)
            _ = try await folder.perform("log.query", all, into: collector)
            return try collector.lines()
        }
        let packages = try await lines("dpkg.log", ["since": 1_700_000_000_000])
        #expect(packages.map { $0["message"] } == ["status installed libc6:amd64 2.36"] && packages[0]["unit"] == nil)
        let messages = try await lines("messages")
        #expect(messages.map { $0["message"] } == ["'su root' failed", "words: here", "<13>1 not a time", "ran"])
        #expect(messages.map { $0["unit"] } == ["su", "app", nil, "cron"] && messages[1]["pid"] == 12)
        #expect(messages[0]["priority"] == "critical" && messages[0]["time"] == "2026-11-20T10:00:00.003Z")
        let error = await #expect(throws: DriverError.self) { try await lines("debug", ["since": 1]) }
        #expect(error?.code == .unsupported)
        #expect(try await lines("debug").count == 2)
    }

    @Test func `the older form and priorities in front are understood`() async throws {
        var now = time(nil) - 3600
        var parts = tm()
        localtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 64)
        strftime(&text, 64, "%b %e %H:%M:%S", &parts)
        let stamp = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = try ToolFolder(files: [
            "/var/log/messages": "<11>\(stamp) host app[7]: bad\n<14>\(stamp) host app[7]: good\n"
        ])
        let collector = Collector()
        _ = try await folder.perform("log.query", ["file": "messages", "priority": "error"], into: collector)
        let line = try #require(try collector.lines().first)
        #expect(line["priority"] == "error" && line["message"] == "bad" && line["pid"] == 7)
        let observed = try await folder.perform("log.query", ["file": "messages"])
        #expect(observed["last"] == .integer(Int64(now) * 1000))
    }

    @Test func `a file is followed through renaming and cutting off`() async throws {
        let folder = try ToolFolder(files: ["/var/log/syslog": "2026-11-20T10:00:00Z host a: one\n"])
        let path = "\(folder.root.path)/var/log/syslog"
        let collector = Collector()
        let task = Task { [driver = folder.driver] in
            try await driver.perform(
                ActionCall(action: "log.query", resource: "host", arguments: ["follow": true]), collector.context)
        }
        func expect(_ messages: [String]) async throws {
            while try collector.lines().count < messages.count { try await Task.sleep(for: .milliseconds(20)) }
            #expect(try collector.lines().compactMap { $0["message"]?.asString } == messages)
        }
        try await expect(["one"])
        #expect(rename(path, "\(path).1") == 0)
        try folder.root.write("2026-11-20T10:00:01Z host a: two and more\n", to: "/var/log/syslog")
        try await expect(["one", "two and more"])
        try folder.root.write("2026-11-20T10:00:02Z host a: 3\n", to: "/var/log/syslog")
        try await expect(["one", "two and more", "3"])
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test func `a link is not gone through, and a pipe is not waited for`() async throws {
        let folder = try ToolFolder(files: ["/var/log/other": "secret\n"])
        #expect(symlink("other", "\(folder.root.path)/var/log/syslog") == 0)
        #expect(mkfifo("\(folder.root.path)/var/log/messages", 0o600) == 0)
        for file in ["syslog", "messages"] as [JSONValue] {
            let error = await #expect(throws: DriverError.self) {
                try await folder.perform("log.query", ["file": file])
            }
            #expect(error?.code == .unsupported)
        }
    }
}
