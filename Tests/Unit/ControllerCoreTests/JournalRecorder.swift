import JournalSupport
import Model
import Saga
import Store
import Testing
import WireProtocol

@testable import ControllerCore

/// Writes down the journals of this version, for the versions after it: `INNKEEPER_RECORD_JOURNALS=0.2.0`, then the folder is
/// kept with the release. What a released version wrote is never written anew.
@Suite struct JournalRecorder {
    @Test(.enabled(if: JournalFolder.version != nil))
    func `the journals of this version are written down`() async throws {
        let version = try #require(JournalFolder.version)
        var journals: [RecordedJournal] = []
        for scenario in Scenario.all { journals += try await Self.journals(of: scenario) }
        journals += try await Self.commands()
        journals += try await `A transfer`.recorded()
        try JournalFolder.write(journals, to: version)
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
