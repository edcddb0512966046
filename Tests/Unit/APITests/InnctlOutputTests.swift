import APIModels
import Model
import Testing
import WireProtocol

@testable import innctl

/// What people see: tables, cards, figures and errors.
@Suite struct InnctlOutputTests {
    @Test func `where a table is too wide its less important columns go, and its last one goes on below`() {
        var table = Table("id", "state", "nothing", "asked by", "node", "error", yielding: ["asked by", "node"])
        let reason = "there is no container 101 on this node, and nobody knows where it has gone"
        table.add("op_01m8ph6f6303tktq1czxx6fwnw", "failed", nil, "key of the billing panel", "web-1", reason)
        table.add("op_01m8ph6d7wfrgyfzxwt7vwa2gv", "succeeded", nil, "ops", "web-1", nil)
        let text = table.text(width: 80)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text)")
        #expect(!text.contains("NOTHING") && !text.contains("ASKED BY") && !text.contains("…"), "\(text)")
        #expect(text.hasSuffix("(without asked by, node: -o wide shows all)"), "\(text)")
        let told = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for word in reason.split(separator: " ") { #expect(told.contains(word)) }
        // No word of the reason is left out where it has the room of a line alone.
        let narrow = table.text(width: 50)
        #expect(narrow.contains("\n    error: there is no container 101"), "\(narrow)")
        #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= 50 }, "\(narrow)")
        #expect(table.text(width: 200).contains("ASKED BY") && table.wide.contains("NOTHING"))
    }

    @Test(arguments: [
        ("a b c", 3, ["a b", "c"]), ("abcdef", 4, ["abcd", "ef"]), ("ab  cd", 3, ["ab", "cd"]), ("", 5, [""]),
        ("ab cd", 5, ["ab cd"]),
    ])
    func `words are wrapped at spaces, and cut where there are none`(_ text: String, _ width: Int, _ lines: [String]) {
        #expect(Table.wrapped(text, into: width) == lines)
    }

    @Test(arguments: [
        (["service", "create", "--plna", "starter"], "--plna of innctl service create; did you mean --plan?"),
        (["plan", "apply", "x", "--memroy=1G"], "--memroy of innctl plan apply; did you mean --memory?"),
        (["audit", "--zzzzzzzz"], "--zzzzzzzz of innctl audit. See innctl audit --help."),
    ])
    func `an option that is not there is named, though another one is missing`(_ words: [String], _ end: String) throws
    {
        let unknown = try #require(UnknownOption(in: words))
        #expect(unknown.message.contains(end), "\(unknown.message)")
    }

    @Test(arguments: [
        ["service", "create"], ["exec", "n", "g", "--", "--plna"], ["service"], ["plan", "apply", "x", "--set", "a=b"],
        ["node", "list", "--help"], ["service", "rm", "x", "--yes"],
    ])
    func `options that are there are known`(_ words: [String]) { #expect(UnknownOption(in: words) == nil) }

    @Test(arguments: [
        (
            "overrides.memory_bytes", "overrides.memory_bytes must be from 6291456 to 1099511627776",
            "--memory must be from 6MiB to 1TiB"
        ),
        (
            "expires_in_seconds", "field expires_in_seconds must be from 60 to 31536000",
            "--expires must be from 60s to 365d"
        ),
        ("state", "the query parameter state must be one of open, resolved", "--state must be one of open, resolved"),
        ("limits", "field limits is wrong", "field limits is wrong"),
    ])
    func `errors name options and amounts as they are typed`(_ field: String, _ detail: String, _ told: String) {
        #expect(Failure(Problem(.invalidField, detail, field: field)).message == told)
    }

    @Test(arguments: [
        (64 << 20, "64 MiB"), (1496 << 10, "1.4 MiB"), (230_509 << 20, "225.1 GiB"), (0, "0 B"), (1 << 30, "1 GiB"),
    ])
    func `sizes have one form`(_ bytes: Int, _ text: String) { #expect(Readable.bytes(Int64(bytes)) == text) }

    @Test func `figures are in order and in units that people read`() {
        let values = ["host.load.15": 1.0, "host.load.1": 1.84, "host.load.5": 2.0, "disk.busy": 0.005, "processes": 1]
        let units = ["host.load.1": "processes", "disk.busy": "share", "processes": "processes"]
        let lines = MetricsTable.latest(values, units).text.split(separator: "\n").dropFirst().map { line in
            line.split(separator: " ").joined(separator: " ")
        }
        #expect(lines == ["disk.busy 0.5 %", "host.load.1 1.84", "host.load.5 2", "host.load.15 1", "processes 1"])
    }

    @Test func `figures of the past are not shown as the present`() {
        let now = Timestamp(milliseconds: 10_000_000)
        #expect(MetricsView.measured(now - .seconds(3), now: now).hasPrefix("measured 3s ago"))
        #expect(MetricsView.measured(now - .seconds(600), now: now).hasPrefix("NOT THE PRESENT: measured 10m ago"))
    }

    @Test func `a card says in words what an object has`() throws {
        var card = Card()
        card.add("id", "x")
        card.add(
            "observed",
            tree: try JSONParser.parse(
                #"{"memory_bytes":67108864,"cpu_millis":250,"parts":{"started_at":1796052566979,"tags":["a","b"]}}"#))
        #expect(
            card.text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") } == [
                "id: x", "observed:", "memory: 64 MiB", "cores: 0.25", "parts:", "started: 2026-11-30T15:29:26.979Z",
                "tags: a, b",
            ], "\(card.text)")
        let state = try JSONParser.parse(#"{"id":"c1","state":"running","used_bytes":1024,"mark":{"a":1}}"#)
        #expect(Readable.brief(state) == "running, id c1, used 1 KiB")
        #expect(Readable.sight(state) == "running, used 1 KiB")
    }
}
