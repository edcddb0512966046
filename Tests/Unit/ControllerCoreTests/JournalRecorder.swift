import Glibc
import Model
import Saga
import Store
import TestSupport
import Testing
import WireProtocol

@testable import ControllerCore

/// A journal as a version wrote it, with the end that it came to.
struct RecordedJournal: Sendable, CustomTestStringConvertible {
    /// `provision, command 2 failsAfter`
    var name: String
    var kind: String
    var state: String
    var entries: [(entry: JSONObject, time: Timestamp)]

    var testDescription: String { name }

    var json: JSONObject {
        [
            "name": .string(name), "kind": .string(kind), "state": .string(state),
            "journal": .array(
                entries.map { .object(["time": .integer($0.time.milliseconds), "entry": .object($0.entry)]) }),
        ]
    }
}

extension RecordedJournal {
    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (name, kind, state) = (try object.string("name"), try object.string("kind"), try object.string("state"))
        entries = try object.array("journal").map { record in
            (record["entry"]?.asObject ?? [:], Timestamp(milliseconds: record["time"]?.asInteger ?? 0))
        }
    }

    /// All that are kept of the versions before this one: a folder for each version, a file for each kind in it.
    static let all: [RecordedJournal] = JournalFolder.names().flatMap { version in
        JournalFolder.names(in: version).filter { $0.hasSuffix(".json") }.flatMap { file in
            let items = try? JSONParser.parse(JournalFolder.bytes(of: "\(version)/\(file)"), limits: .local)
            return (items?.asArray ?? []).compactMap { try? RecordedJournal(json: $0) }
        }
    }
}

/// `Tests/Support/Journals`, read and written with plain C calls.
enum JournalFolder {
    static let path = "\(Checkout.root)/Tests/Support/Journals"

    static func names(in folder: String = "") -> [String] {
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

    static func write(_ text: String, to file: String) throws {
        let handle = try #require(fopen("\(path)/\(file)", "wb"))
        defer { fclose(handle) }
        try #require(fputs(text, handle) >= 0)
    }
}

/// Writes down the journals of this version, for the versions after it: `INNKEEPER_RECORD_JOURNALS=0.2.0`, then the folder is
/// kept with the release. What a released version wrote is never written anew.
@Suite struct JournalRecorder {
    private static let version = getenv("INNKEEPER_RECORD_JOURNALS").map { String(cString: $0) }

    @Test(.enabled(if: version != nil))
    func `the journals of this version are written down`() async throws {
        let version = try #require(Self.version)
        mkdir("\(JournalFolder.path)/\(version)", 0o755)
        var journals: [RecordedJournal] = []
        for scenario in Scenario.all { journals += try await Self.journals(of: scenario) }
        journals += try await Self.commands()
        journals += try await `A transfer`.recorded()
        for (kind, items) in Dictionary(grouping: journals, by: \.kind) {
            let lines = items.map { JSONValue.object($0.json).text }.joined(separator: ",\n")
            try JournalFolder.write("[\n\(lines)\n]\n", to: "\(version)/\(kind).json")
        }
    }

    private static func journals(of scenario: Scenario) async throws -> [RecordedJournal] {
        var plans: [(String, [Int: [Fault]])] = [("done", [:])]
        for number in 1...scenario.commands {
            for fault in [Fault.refused, .failsAfter, .answerLost, .interruptedAfter] {
                plans.append(("command \(number) \(fault)", [number: [fault]]))
            }
        }
        plans.append(("command 1 unreachable twice", [1: [.unreachable, .unreachable]]))
        let last = (1...scenario.commands).last { !scenario.auxiliary.contains($0) } ?? 1
        plans.append(("going back fails", [last: [.failsAfter], last + 1: [.failsBefore]]))
        var journals: [RecordedJournal] = []
        for (name, faults) in plans {
            try await Scene.with(scenario) { scene in
                scene.stage.node.change { $0.faults = faults }
                try await scene.stage.finish(scene.operation)
                journals.append(try await scene.stage.recorded("\(scenario.name), \(name)", scene.operation))
            }
        }
        return journals + (try await calledOff(scenario))
    }

    private static func calledOff(_ scenario: Scenario) async throws -> [RecordedJournal] {
        var journals: [RecordedJournal] = []
        for moment in [3, 6, 9] where scenario.kind != .terminate {
            try await Scene.with(scenario) { scene in
                guard try await scene.stage.run(scene.operation, stopAt: moment) == .stopped else { return }
                _ = try await scene.stage.operations.cancel(scene.operation, by: Stage.by)
                try await scene.stage.finish(scene.operation)
                journals.append(
                    try await scene.stage.recorded("\(scenario.name), called off at \(moment)", scene.operation))
            }
        }
        return journals
    }

    private static func commands() async throws -> [RecordedJournal] {
        let ends: [(String, CommandStatus, CommandErrorCode?)] = [
            ("done", .succeeded, nil), ("failed", .failed, .notFound), ("cut off", .interrupted, .interrupted),
            ("not allowed", .refused, .policy),
        ]
        var journals: [RecordedJournal] = []
        for (name, status, code) in ends {
            try await Stage.with { stage in
                let node = AnsweringNode { call, _ in AnsweringNode.result(call, status, code) }
                let request = CommandRequest(
                    operation: "docker.container.stop", resource: "docker/web", arguments: ["name": "web"])
                let ended = try await stage.command(request, node)
                journals.append(try await stage.recorded("command, \(name)", ended.id))
            }
        }
        return journals
    }
}

extension Stage {
    /// The journal of an operation that has ended, with plain names in the place of ids.
    func recorded(_ name: String, _ operation: String) async throws -> RecordedJournal {
        let record = try await outcome(operation)
        let entries = try await store.journal(operation).map { row in
            var text = row.entry.text.replacing(operation, with: "op")
            if let service = record.service { text = text.replacing(service, with: "svc") }
            return (entry: try JSONParser.parse(Array(text.utf8)).asObject ?? [:], time: row.time)
        }
        return RecordedJournal(name: name, kind: record.kind, state: record.state.rawValue, entries: entries)
    }
}
