import DriverKit
import Model
import Processes
import Synchronization
import WireProtocol

/// What changed between a snapshot and a later one, or now.
extension ZFSDriver {
    /// Files a result names; all of them go to the output.
    private static let namedFiles = 1000

    func tellDifferences(_ call: ActionCall, _ context: ActionContext) async throws(DriverError)
        -> ActionOutcome
    {
        var reader = ArgumentReader(call.arguments)
        let dataset = try reader.string("dataset")
        let from = "\(dataset)@\(try reader.string("snapshot"))"
        let to = try reader.optionalString("to_snapshot").map { "\(dataset)@\($0)" } ?? dataset
        try reader.finish()
        try call.concerns(dataset)
        for name in [from, to] { _ = try await require(name, ["guid"]) }
        let state = Mutex((lines: LineSplitter(limit: 16 << 10), found: [ZFSDifference](), count: 0))
        try await tools.pour(.zfs, ["diff", "-F", "-H", "--", from, to]) { (stream, bytes) throws(CancellationError) in
            guard stream == .stdout else { return }
            let differences = state.withLock { $0.lines.feed(bytes) }.compactMap {
                ZFSDifference(String(decoding: $0, as: UTF8.self))
            }
            state.withLock { state in
                state.count += differences.count
                state.found += differences.prefix(max(0, Self.namedFiles - state.found.count))
            }
            let lines: [UInt8] = differences.flatMap { (difference) -> [UInt8] in difference.json.encoded + [0x0A] }
            if !lines.isEmpty { try await context.output(.stdout, lines) }
        }
        return state.withLock { state in
            .seen([
                "from": .string(from), "to": .string(to), "count": .integer(Int64(state.count)),
                "differences": .array(state.found.map { .object($0.json) }),
                "complete": .bool(state.found.count == state.count && state.lines.dropped == 0),
            ])
        }
    }
}

/// One line of `zfs diff -F -H`: what happened, to what kind of thing, and where.
struct ZFSDifference: Sendable, Hashable {
    let change: String
    let kind: String
    let path: String
    /// The new path of what was renamed.
    let newPath: String?

    private static let changes = ["+": "added", "-": "removed", "M": "modified", "R": "renamed"]
    private static let kinds = [
        "F": "file", "/": "directory", "@": "link", "B": "block device", "C": "character device", "P": "event port",
        "|": "pipe", "=": "socket", ">": "door",
    ]

    init?(_ line: String) {
        let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard columns.count >= 3, let change = Self.changes[String(columns[0])] else { return nil }
        self.change = change
        kind = Self.kinds[String(columns[1])] ?? "other"
        path = Self.unescaped(columns[2])
        newPath = columns.count > 3 ? Self.unescaped(columns[3]) : nil
    }

    /// What is no printable ASCII stands as a backslash and four octal digits.
    private static func unescaped(_ text: Substring) -> String {
        guard text.contains("\\") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(4)
            if byte == 0x5C, digits.count == 4, let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    var json: JSONObject {
        var object: JSONObject = ["change": .string(change), "kind": .string(kind), "path": .string(path)]
        object["new_path"] = newPath.map { .string($0) }
        return object
    }
}
