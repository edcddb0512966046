import APIModels
import Glibc
import Model
import Processes
import Store
import TestSupport
import Testing
import WireProtocol
@testable import innctl

/// How the command line reads and writes, as a process where that matters.
@Suite struct InnctlFormTests {
    @Test(arguments: [
        (["lst"], "innctl", "list"), (["node", "lst"], "innctl node", "list"), (["nod", "list"], "innctl", "node"),
        (["service", "termiante", "x"], "innctl service", "terminate"), (["help", "servce"], "innctl", "service"),
        (["help", "service", "lst"], "innctl service", "list"), (["node", "drop-table"], "innctl node", ""),
    ])
    func `a command that is not there is named, with the one that was meant`(
        _ words: [String], _ group: String, _ meant: String
    ) throws {
        let unknown = try #require(UnknownWord(in: words))
        #expect(unknown.path == group)
        if meant != "list" || group != "innctl" {
            #expect(unknown.message.contains("did you mean \"\(meant)\"?") == !meant.isEmpty, "\(unknown.message)")
        }
    }

    @Test(arguments: [
        ["node", "list"], ["node", "ls"], ["service", "rm", "x"], ["--version"], ["help", "service", "list"],
        ["exec", "n", "g"],
        [],
    ])
    func `commands, their other names and their arguments are known`(_ words: [String]) {
        #expect(UnknownWord(in: words) == nil)
    }

    @Test func `a plan in a file has a name, a product and its fields`() throws {
        let file = try CataloguePlan(#"{"name": "basic", "product": "wordpress", "spec": {"cores": 1}}"#, "basic.json")
        #expect(file.name == "basic" && file.product == "wordpress" && file.spec == ["cores": 1])
        for text in ["[]", "{", #"{"name": "basic"}"#, #"{"name": "b", "spec": {}, "image": "x"}"#] {
            let failure = #expect(throws: Failure.self) { try CataloguePlan(text, "basic.json") }
            #expect(failure?.message.contains("basic.json") == true, "\(text)")
        }
    }

    @Test func `a table is cut to the terminal, but never what names the thing`() {
        var table = Table("id", "state", "labels", "error")
        table.add(
            "svc_0123456789abcdef", "running", String(repeating: "a=b,", count: 30), String(repeating: "e", count: 50))
        let lines = table.text(width: 80).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines[1].hasPrefix("svc_0123456789abcdef  running  ") && lines[1].contains("…"))
        #expect(table.text.contains(String(repeating: "e", count: 50)))
        // Nothing is left to cut: the line is longer then.
        #expect(table.text(width: 20).split(separator: "\n")[1].hasPrefix("svc_0123456789abcdef  "))
    }

    @Test(arguments: [
        (#"{"a":1,"b":[],"c":{}}"#, "a: 1\nb: []\nc: {}"),
        (#"[{"id":"x","tags":["p","q"]},2]"#, "- id: x\n  tags:\n    - p\n    - q\n- 2"),
        (
            #"{"yes":"no","n":"1.5","t":"2026-11-30","e":"","s":"a: b","m":"x\ny","p":"/srv/a","u":"é"}"#,
            "\"yes\": \"no\"\n\"n\": \"1.5\"\nt: \"2026-11-30\"\ne: \"\"\ns: \"a: b\"\nm: \"x\\ny\"\np: /srv/a\nu: \"é\""
        ),
        (#"[[1,[2]],[]]"#, "- - 1\n  - - 2\n- []"), ("null", "null"), ("[]", "[]"),
    ])
    func `YAML says what JSON says`(_ json: String, _ yaml: String) throws {
        #expect(YAMLText.text(try JSONParser.parse(json)) == yaml)
    }

    @Test func `what a terminal would obey, and what turns writing round, is escaped for programs and for people`()
        throws
    {
        let value: JSONValue = ["na\u{9B}31mme": "a\u{202E}b\u{2028}c\u{FEFF}d\u{E0001}é"]
        let hostile: Set<Unicode.Scalar> = ["\u{9B}", "\u{202E}", "\u{2028}", "\u{FEFF}", "\u{E0001}"]
        for text in [PrettyJSON.text(value), YAMLText.text(value)] {
            #expect(hostile.isDisjoint(with: text.unicodeScalars) && text.contains("é"), "\(text)")
        }
        #expect(try JSONParser.parse(PrettyJSON.text(value)) == value)
        var card = Card()
        card.add("state", "running")
        card.add("error", "it failed\r\nstate: fine")
        #expect(!card.text.contains("\nstate: fine") && card.text.contains("       state: fine"))
    }

    @Test func `what is printed as YAML is read by others as the same`() async throws {
        let json = ##"""
            {"a":[{"b":"on","c":[1,null,"~"],"d":{"e":" x","f":"#","0x1F":"1_000"}},[]],"g":"- h","=":"<<","y":"12:30"}
            """##
        let program = "import json,sys,yaml;t=json.loads(sys.argv[1]);sys.exit(yaml.safe_load(sys.argv[2])!=t)"
        let outcome = try await Child.run(
            ProcessRequest("/usr/bin/python3", ["-c", program, json, YAMLText.text(try JSONParser.parse(json))]))
        #expect(outcome.succeeded, "\(outcome.errorText)")
    }

    @Test(arguments: [(86400, "24h"), (90, "90s"), (604_800, "7d"), (900, "15m"), (5, "5s"), (3600, "60m")])
    func `a stretch of time reads as it is typed`(_ seconds: Int, _ text: String) throws {
        let span = try #require(Span(argument: "\(seconds)s"))
        #expect(span.defaultValueDescription == text)
        #expect(Span(argument: text)?.seconds == seconds)
    }

    @Test func `what is wrong with the words of a command is told of that command`() async throws {
        try await OpenHouse.with { open in
            let outcome = try await open.innctl("service", "exec", "shop", loggedIn: true)
            #expect(
                outcome.code == 2 && outcome.error.contains("innctl service exec SERVICE -- ls"), "\(outcome.error)")
        }
    }

    @Test func `an error of a size says what one looks like, and a default is told as one types it`() async throws {
        try await OpenHouse.with { open in
            let outcome = try await open.innctl(
                "service", "create", "--customer", "c", "--plan", "p", "--memory", "many", loggedIn: true)
            #expect(outcome.code == 2 && outcome.error.contains("a size looks like 512MiB"), "\(outcome.error)")
            let help = try await open.innctl("token", "create", "--help")
            let words = help.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("default: 24h"), "\(help.output)")
        }
    }

    @Test func `what destroys is not done where nobody can be asked, and with --yes it is`() async throws {
        try await OpenHouse.with { open in
            let id = try #require(await open.house.addService().service).id
            let refused = try await open.innctl("service", "terminate", id, loggedIn: true)
            #expect(refused.code == 2 && refused.error.contains("--yes"), "\(refused.error)")
            #expect(try await open.house.store.unfinishedOperations(service: id).count == 1)
            let meant = try await open.innctl("service", "rm", id, "--yes", loggedIn: true)
            #expect(meant.code == 0 || meant.code == 5, "\(meant.error)")
        }
    }

    /// The signal says what is to be done; where the error came first, it was taken for a failure of its own.
    @Test func `a reader who is gone is told by the signal, and a device that is full is a failure`() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        #expect(throws: Never.self) { try Terminal.write([1, 2, 3], to: ends[1], named: "standard output") }
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        let failure = #expect(throws: Failure.self) { try Terminal.write([1], to: full, named: "standard output") }
        #expect(failure?.code == .failed && failure?.message.hasPrefix("standard output cannot be written") == true)
    }

    @Test func `an answer that cannot be written is a failure`() async throws {
        try await OpenHouse.with { open in
            let script = "'\(OpenHouse.program)' node list >/dev/full"
            let outcome = try await Child.run(
                ProcessRequest(
                    "/bin/sh", ["-c", script], environment: open.variables(loggedIn: true), deadline: .seconds(60)))
            #expect(outcome.exit == .code(1) && outcome.errorText.contains("No space left"), "\(outcome.errorText)")
        }
    }

    @Test func `lists call nodes by their names, and say their ids where all is wanted`() async throws {
        try await OpenHouse.with { open in
            let (house, time) = (open.house, open.house.clock.time)
            try await house.addNode()
            let order = try await house.addService()
            try await house.store.updateService(try #require(order.service?.id), at: time) { $0.node = "nod_1" }
            try await house.store.updateOperation(order.operation.id) { $0.node = "nod_1" }
            _ = try await house.store.take(
                Intake(
                    node: "nod_1",
                    events: [
                        NodeEventReport(seq: 1, time: time, driver: "host", resource: nil, kind: "k", data: [:])
                    ],
                    gaps: [GapReport(stream: .metrics, seqs: 1...4, from: time, to: time, reason: "full")]))
            for words in [["service", "list"], ["operation", "list"], ["node", "events"], ["node", "gaps"]] {
                let table = try await open.innctl(words, loggedIn: true)
                #expect(table.output.contains("alpha") && !table.output.contains("nod_1"), "\(table.output)")
                let wide = try await open.innctl(words + ["-o", "wide"], loggedIn: true)
                #expect(wide.output.contains("alpha") && wide.output.contains("nod_1"), "\(wide.output)")
                #expect(wide.output.hasSuffix("NODE ID") || wide.output.contains("NODE ID\n"), "\(wide.output)")
                let json = try JSONParser.parse(
                    try await open.innctl(words + ["-o", "json"], loggedIn: true).output)
                #expect(json.asArray?.first?["node_name"] == "alpha" && json.asArray?.first?["node"] == "nod_1")
            }
            let card = try await open.innctl("service", "show", try #require(order.service?.id), loggedIn: true)
            #expect(card.output.contains("alpha (nod_1)"), "\(card.output)")
        }
    }

    @Test func `lists come as names and as YAML`() async throws {
        try await OpenHouse.with { open in
            let id = try #require(await open.house.addService().service).id
            #expect(try await open.innctl("service", "ls", "-q", loggedIn: true).output == "\(id)\n")
            #expect(
                try await open.innctl("service", "list", "-o", "yaml", loggedIn: true).output.hasPrefix("- id: \(id)\n")
            )
        }
    }

    @Test func `findings are listed, read and settled, and what a node told is found`() async throws {
        try await OpenHouse.with { open in
            try await open.house.addNode()
            let finding = Finding(
                "clock.ahead", subject: "node/nod_1", .warning, node: "nod_1", summary: "Its clock is ahead.",
                remedy: "Set it.")
            _ = try await open.house.store.raise(finding, at: open.house.clock.time)
            let list = try await open.innctl("finding", "ls", "--node", "alpha", loggedIn: true)
            #expect(list.output.contains("Its clock is ahead."), "\(list.output) \(list.error)")
            let id = try await open.innctl("finding", "list", "-q", loggedIn: true).output.split(separator: "\n")
            let name = String(try #require(id.first))
            let known = try await open.innctl("finding", "ack", name, "--note", "seen", loggedIn: true)
            #expect(known.output.contains("acknowledged") && known.output.contains("Set it."), "\(known.error)")
            #expect(try await open.innctl("finding", "resolve", name, loggedIn: true).code == 0)
            #expect(try await open.innctl("finding", "list", "-q", loggedIn: true).output.isEmpty)
            #expect(try await open.innctl("finding", "list", "-q", "--all", loggedIn: true).output == "\(name)\n")
            for words in [["events"], ["gaps", "alpha"], ["inventory", "alpha"]] {
                let told = try await open.innctl(["node"] + words, loggedIn: true)
                #expect(told.code == 0, "\(words): \(told.error)")
            }
            #expect(try await open.innctl("node", "gaps", "nobody", loggedIn: true).code == 3)
        }
    }

    @Test func `a line that an agent has put an end into is known as one line`() async throws {
        try await OpenHouse.with { open in
            let id = try await open.house.addService().operation.id
            let text = "done\n2026-01-01T00:00:00.000Z info: all is well\u{202E}x"
            try await open.house.store.appendLog(
                id, [OperationLogLine(time: open.house.clock.time, level: "output", text: text)])
            let log = try await open.innctl("operation", "log", id, loggedIn: true)
            #expect(
                log.output.contains("\n      | 2026-01-01T00:00:00.000Z info: all is well\u{FFFD}x\n"), "\(log.output)")
            #expect(!log.output.contains("\u{202E}"))
        }
    }
}
