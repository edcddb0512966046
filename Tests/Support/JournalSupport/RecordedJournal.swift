import Glibc
package import Model
package import Saga
import TestSupport
package import WireProtocol

/// A journal as a version wrote it, with the end that it came to.
package struct RecordedJournal: Sendable, CustomStringConvertible {
    /// `provision, command 2 failsAfter`
    package var name: String
    package var kind: String
    package var state: String
    package var entries: [(entry: JSONObject, time: Timestamp)]

    package var description: String { name }

    package init(name: String, kind: String, state: String, entries: [(entry: JSONObject, time: Timestamp)]) {
        (self.name, self.kind, self.state, self.entries) = (name, kind, state, entries)
    }

    package init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (name, kind, state) = (try object.string("name"), try object.string("kind"), try object.string("state"))
        entries = try object.array("journal").map { record in
            (record["entry"]?.asObject ?? [:], Timestamp(milliseconds: record["time"]?.asInteger ?? 0))
        }
    }

    package var json: JSONObject {
        [
            "name": .string(name), "kind": .string(kind), "state": .string(state),
            "journal": .array(
                entries.map { .object(["time": .integer($0.time.milliseconds), "entry": .object($0.entry)]) }),
        ]
    }

    /// All that are kept of a product: a folder for each version, in it a file for each kind. Those of containers and of orders to nodes lie
    /// in the version's folder itself, those of others in one of the product's name.
    package static func all(of product: String? = nil) -> [RecordedJournal] {
        JournalFolder.names().flatMap { version in
            let folder = product.map { "\(version)/\($0)" } ?? version
            return JournalFolder.names(in: folder).filter { $0.hasSuffix(".json") }.flatMap { file in
                let items = try? JSONParser.parse(JournalFolder.bytes(of: "\(folder)/\(file)")[...], limits: .local)
                return (items?.asArray ?? []).compactMap { try? RecordedJournal(json: $0) }
            }
        }
    }

    /// The table's revision that it began under.
    package var revision: Int64 { entries.first?.entry["context"]?[SagaTable.revisionKey]?.asInteger ?? 1 }

    /// Where it would go on otherwise than it went on then, from each of its entries; empty when nowhere.
    package func differences(under table: SagaTable) throws -> [String] {
        let read = try entries.map { (entry: try JournalEntry(json: $0.entry), time: $0.time) }
        var found: [String] = []
        for length in 1..<read.count {
            let machine = try SagaMachine.replay(Array(read[..<length]), of: table, operation: "op")
            let (next, time) = read[length]
            var called = false
            if case .unwindStarted(let cause, _) = next { called = cause.code == StepFailure.cancelled.code }
            let decision = machine.next(now: time, cancelled: called)
            if !decision.leads(to: next, in: table) { found.append("entry \(length + 1): \(decision), it was \(next)") }
        }
        let whole = try SagaMachine.replay(read, of: table, operation: "op")
        guard case .finished(let outcome) = whole.phase else { return found + ["the journal has no end"] }
        return found + (outcome.word == state ? [] : ["it ends as \(outcome.word), it was \(state)"])
    }
}

extension SagaOutcome {
    /// As operations have it.
    fileprivate var word: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .needsAttention: "needs_attention"
        }
    }
}

extension SagaDecision {
    /// Whether `entry` is what comes of it.
    fileprivate func leads(to entry: JournalEntry, in table: SagaTable) -> Bool {
        func name(_ step: Int) -> String { table.steps[step].name }
        switch (self, entry) {
        case (.record(.started), .started), (.record(.unwindStarted), .unwindStarted): return true
        // A command that was cut off in the middle is not said to have failed: nobody knows.
        case (.record(.finished(.failed)), .finished(.needsAttention(_, leftovers: []))): return true
        case (.record(let decided), _): return decided == entry
        case (.perform(let step, _, _), .stepSucceeded(let ended, _)),
            (.perform(let step, _, _), .stepFailed(let ended, _)),
            (.undo(let step, _, _), .undone(let ended)), (.undo(let step, _, _), .undoFailed(let ended, _)):
            return name(step) == ended
        default: return false
        }
    }
}

/// `Tests/Support/Journals`, read and written with plain C calls.
package enum JournalFolder {
    private static let path = "\(Checkout.root)/Tests/Support/Journals"

    package static func names(in folder: String = "") -> [String] {
        guard let handle = opendir("\(path)/\(folder)") else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    static func bytes(of file: String) -> [UInt8] {
        guard let handle = fopen("\(path)/\(file)", "rb") else { return [] }
        defer { fclose(handle) }
        var (bytes, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
        while case let count = fread(&chunk, 1, chunk.count, handle), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    /// Writes down the journals of this version, for the versions after it, a file for each kind.
    /// - Parameter folder: the version's, or one of a product in it.
    package static func write(_ journals: [RecordedJournal], to folder: String) throws {
        var made = ""
        for part in folder.split(separator: "/") {
            made += "/\(part)"
            mkdir("\(path)\(made)", 0o755)
        }
        for (kind, items) in Dictionary(grouping: journals, by: \.kind) {
            let lines = items.map { JSONValue.object($0.json).text }.joined(separator: ",\n")
            let file = "\(path)/\(folder)/\(kind).json"
            guard let handle = fopen(file, "wb") else { throw JournalFolderError(text: "\(file) cannot be written") }
            defer { fclose(handle) }
            guard fputs("[\n\(lines)\n]\n", handle) >= 0 else {
                throw JournalFolderError(text: "\(file) cannot be written")
            }
        }
    }

    /// INNKEEPER_RECORD_JOURNALS names the version whose journals are to be written down; nil when none are. What a released version
    /// wrote is never written anew.
    package static let version = getenv("INNKEEPER_RECORD_JOURNALS").map { String(cString: $0) }
}

struct JournalFolderError: Error { let text: String }
