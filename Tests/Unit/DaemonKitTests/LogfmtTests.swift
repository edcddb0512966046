import DaemonKit
import Logging
import Synchronization
import Testing

@Suite struct `Log lines` {
    @Test(arguments: [
        ("plain", "plain"), ("", #""""#), ("two words", #""two words""#), ("a=b", #""a=b""#),
        ("say \"hi\"", #""say \"hi\"""#), ("line\nbreak", #""line\nbreak""#), ("\u{1B}[2J", #""\u{1b}[2J""#),
        ("next\u{85}line", #""next\u{85}line""#), ("para\u{2029}", #""para\u{2029}""#), ("Zürich", "Zürich"),
    ])
    func `a value never ends its field or its line`(text: String, value: String) {
        #expect(Logfmt.value(text) == value)
    }

    @Test func `a record is one line, its metadata sorted, its own before the logger's`() {
        let lines = Mutex<[String]>([])
        var logger = Logger(label: "agent") { label in
            LogfmtHandler(label: label) { line in lines.withLock { $0.append(line) } }
        }
        logger[metadataKey: "node"] = "n1"
        logger.warning("cut\noff", metadata: ["b key": "2", "a": "x y", "node": "n2"])
        logger.debug("not wanted")
        let line = lines.withLock { $0.first ?? "" }
        #expect(lines.withLock { $0.count } == 1)
        #expect(line.hasPrefix("time=20"))
        #expect(line.hasSuffix("Z level=warning part=agent msg=\"cut\\noff\" a=\"x y\" b_key=2 node=n2\n"))
    }
}
