import Model
import Testing
import WireProtocol

@testable import Saga

@Suite struct SagaMachineTests {
    @Test func `steps run in order, each under a command id that was recorded before`() throws {
        var play = Play(trip)
        #expect(try play.run() == .succeeded)
        #expect(play.commands == ["op.place.1", "op.make.1", "op.extra.1", "op.run.1"])
        for command in play.commands {
            let sent = play.journal.firstIndex { entry, _ in
                if case .stepStarted(_, _, command) = entry { true } else { false }
            }
            #expect(sent != nil)
        }
        #expect(play.machine.outputs["make"] == .string("from op.make.1"))
    }

    @Test func `a retryable failure is tried three times with growing waits`() throws {
        var play = Play(trip)
        for attempt in 1...3 { play.answers["op.make.\(attempt)"] = [.test(.retryable)] }
        #expect(try play.run() == .failed(.test(.retryable)))
        #expect(
            play.commands
                == ["op.place.1", "op.make.1", "op.make.2", "op.make.3", "op.make.undo.1", "op.place.undo.1"])
        #expect(play.waits == [.seconds(1), .seconds(2)])
    }

    @Test func `a wait for a node is over when that node is there, and for no other`() throws {
        var play = Play(trip)
        play.answers["op.place.1"] = [.awaiting(["nod_1", "nod_2"])]
        play.present = ["nod_2", "nod_3"]
        #expect(try play.run() == .succeeded)
        #expect(play.waits.isEmpty && play.commands.prefix(2) == ["op.place.1", "op.place.2"])

        var alone = Play(trip)
        alone.answers["op.place.1"] = [.awaiting(["nod_1"])]
        alone.present = ["nod_3"]
        #expect(try alone.run() == .succeeded)
        #expect(alone.waits == [.seconds(1)])
    }

    @Test func `a final failure is not tried again`() throws {
        var play = Play(trip)
        play.answers["op.make.1"] = [.test(.final)]
        #expect(try play.run() == .failed(.test(.final)))
        #expect(play.commands == ["op.place.1", "op.make.1", "op.make.undo.1", "op.place.undo.1"])
    }

    @Test func `a step that certainly did nothing is not undone`() throws {
        var play = Play(trip)
        play.answers["op.make.1"] = [.test(.final, effect: .none)]
        #expect(try play.run() == .failed(.test(.final, effect: .none)))
        #expect(play.commands == ["op.place.1", "op.make.1", "op.place.undo.1"])
    }

    @Test func `a refusal after an attempt of unknown effect does not save the undo`() throws {
        var play = Play(trip)
        play.answers["op.make.1"] = [.test(.retryable)]
        play.answers["op.make.2"] = [.test(.final, effect: .none)]
        _ = try play.run()
        #expect(play.commands.contains("op.make.undo.1"))

        var silent = Play(trip)
        silent.answers["op.make.1"] = [.test(.unanswered), .test(.final, effect: .none)]
        _ = try silent.run()
        #expect(silent.commands.contains("op.make.undo.1"))
    }

    @Test func `a failed auxiliary step is a warning`() throws {
        var play = Play(trip)
        play.answers["op.extra.1"] = [.test(.final)]
        #expect(try play.run() == .succeeded)
        #expect(play.machine.warnings.map(\.step) == ["extra"])
    }

    @Test func `an interrupted step is tried under a new id, or fails if its policy says so`() throws {
        var play = Play(trip)
        play.answers["op.make.1"] = [.test(.interrupted)]
        #expect(try play.run() == .succeeded)
        #expect(play.commands.contains("op.make.2"))

        var strict = Play(trip)
        strict.answers["op.run.1"] = [.test(.interrupted)]
        #expect(try strict.run() == .failed(.test(.interrupted)))
        #expect(!strict.commands.contains("op.run.2"))
    }

    @Test func `an unanswered command is sent again under the same id until the time is up`() throws {
        var play = Play(trip)
        play.answers["op.make.1"] = Array(repeating: .test(.unanswered), count: 6)
        #expect(try play.run() == .succeeded)
        #expect(play.commands.filter { $0 == "op.make.1" }.count == 7)

        var lost = Play(trip)
        lost.answers["op.make.1"] = Array(repeating: .test(.unanswered), count: 1000)
        guard case .failed(let cause)? = try lost.run() else {
            Issue.record("it did not fail")
            return
        }
        #expect(cause.message.contains("time was up at step make"))
        #expect(lost.commands.suffix(2) == ["op.make.undo.1", "op.place.undo.1"])
    }

    @Test func `an auxiliary step does not wait for a silent node for long`() throws {
        var play = Play(trip)
        play.answers["op.extra.1"] = Array(repeating: .test(.unanswered), count: 1000)
        #expect(try play.run() == .succeeded)
        #expect(play.commands.filter { $0 == "op.extra.1" }.count == 3)
    }

    @Test func `a failed undo needs attention and lists what is left`() throws {
        var play = Play(trip)
        play.answers["op.run.1"] = [.test(.final)]
        for attempt in 1...3 { play.answers["op.make.undo.\(attempt)"] = [.test(.retryable)] }
        let expected = [
            Leftover(step: "make", reason: "it broke"), Leftover(step: "place", reason: "its undo was not tried"),
        ]
        #expect(try play.run() == .needsAttention(.test(.final), leftovers: expected))
        #expect(play.commands.last == "op.make.undo.3")
    }

    @Test func `an undo that nobody answers ends as unknown`() throws {
        var play = Play(trip)
        play.answers["op.run.1"] = [.test(.final)]
        play.answers["op.run.undo.1"] = Array(repeating: .test(.unanswered), count: 1000)
        guard case .needsAttention(_, let leftovers)? = try play.run() else {
            Issue.record("it does not need attention")
            return
        }
        #expect(leftovers.map(\.step) == ["run", "make", "place"])
        #expect(leftovers.first?.reason == "unknown: it broke")
    }

    @Test func `a cancelled saga goes back, but not once it is through`() throws {
        var play = Play(trip)
        _ = try play.run { $0.commands.count == 2 }
        play.cancelled = true
        #expect(try play.run() == .cancelled)
        #expect(play.commands == ["op.place.1", "op.make.1", "op.make.undo.1", "op.place.undo.1"])

        var cut = Play(trip)
        _ = try cut.run { play in play.journal.count == 4 }
        cut.cancelled = true
        #expect(try cut.run() == .cancelled)
        // The second step was under way: it is asked for again before it is undone.
        #expect(cut.commands == ["op.place.1", "op.make.1", "op.make.undo.1", "op.place.undo.1"])

        var late = Play(trip)
        _ = try late.run { $0.commands.count == 4 }
        late.cancelled = true
        #expect(try late.run() == .succeeded)

        var early = Play(trip)
        early.cancelled = true
        #expect(try early.run() == .cancelled)
        #expect(early.commands.isEmpty)
    }

    @Test func `a saga that only goes forward stops where it fails and cannot be cancelled`() throws {
        var table = trip
        table.direction = .forward
        var play = Play(table)
        play.answers["op.make.1"] = [.test(.final)]
        let left = ["make", "extra", "run"].map { Leftover(step: $0, reason: "not done") }
        #expect(try play.run() == .needsAttention(.test(.final), leftovers: left))
        #expect(play.commands == ["op.place.1", "op.make.1"])

        var stubborn = Play(table)
        _ = try stubborn.run { $0.commands.count == 2 }
        stubborn.cancelled = true
        #expect(try stubborn.run() == .succeeded)
    }

    @Test func `a journal cut anywhere leads to the same end, and no answered command is sent twice`() throws {
        for script in Script.all {
            var whole = Play(trip)
            whole.answers = script.answers
            let end = try whole.run()
            for cut in 0...whole.journal.count {
                var resumed = Play(trip)
                resumed.journal = Array(whole.journal[..<cut])
                resumed.machine = try SagaMachine.replay(resumed.journal, of: trip, operation: "op")
                resumed.now = resumed.journal.last?.time ?? resumed.now
                resumed.answers = script.remaining(after: resumed.journal.map(\.entry))
                #expect(try resumed.run() == end, "\(script.name) cut at \(cut)")
                #expect(resumed.journal.map(\.entry) == whole.journal.map(\.entry), "\(script.name) cut at \(cut)")
            }
        }
    }

    @Test func `a journal that makes no sense is refused`() throws {
        let time = Timestamp(milliseconds: 1)
        let started = JournalEntry.started(deadline: time, context: [:])
        let nonsense: [[JournalEntry]] = [
            [.undone(step: "make")], [started, started], [started, .stepSucceeded(step: "make", output: .null)],
            [started, .stepStarted(step: "nowhere", attempt: 1, command: "x")],
            [started, .finished(.succeeded), .stepStarted(step: "make", attempt: 1, command: "x")],
            [started, .undoStarted(step: "make", attempt: 1, command: "x")],
        ]
        for entries in nonsense {
            #expect(throws: JournalError.self) {
                try SagaMachine.replay(entries.map { ($0, time) }, of: trip, operation: "op")
            }
        }
    }
}

/// Ways in which a trip can go, as failures by command id.
struct Script {
    var name: String
    var answers: [String: [StepFailure]]

    static let all = [
        Script(name: "smooth", answers: [:]),
        Script(name: "retried", answers: ["op.make.1": [.test(.retryable)], "op.run.1": [.test(.retryable)]]),
        Script(name: "interrupted", answers: ["op.place.1": [.test(.interrupted)]]),
        Script(name: "unwound", answers: ["op.run.1": [.test(.final)], "op.make.undo.1": [.test(.interrupted)]]),
        Script(name: "silent", answers: ["op.make.1": [.test(.unanswered), .test(.unanswered)]]),
        Script(name: "stuck", answers: ["op.run.1": [.test(.final)], "op.run.undo.1": [.test(.final)]]),
        Script(name: "warned", answers: ["op.extra.1": [.test(.final)]]),
    ]

    /// What is still to come once `journal` has been written.
    func remaining(after journal: [JournalEntry]) -> [String: [StepFailure]] {
        var left = answers
        var command = ""
        for entry in journal {
            switch entry {
            case .stepStarted(_, _, let id), .undoStarted(_, _, let id): command = id
            case .stepFailed, .undoFailed: left[command]?.removeFirst()
            default: break
            }
        }
        return left
    }
}
