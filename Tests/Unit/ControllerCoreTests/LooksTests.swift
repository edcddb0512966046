import AgentCommands
import Logging
import Model
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

/// Nodes that are asked, and answer when the test lets them.
private final class AskedNodes: Sendable {
    struct State {
        var asked: [String] = [], held: Set<String> = [], inside = 0, mostInside = 0, away: Set<String> = []
    }
    let state = Mutex(State())
    let time = Mutex(Duration.zero)

    var asked: [String] { state.withLock { $0.asked } }

    var port: AgentsPort {
        AgentsPort(
            perform: { call, node throws(AgentError) in
                self.state.withLock { state in
                    state.asked.append(node)
                    state.inside += 1
                    state.mostInside = max(state.mostInside, state.inside)
                }
                defer { self.state.withLock { $0.inside -= 1 } }
                while self.state.withLock({ $0.held.contains(node) }) {
                    if Task.isCancelled { throw AgentError(retryable: true, code: "abandoned", message: "") }
                    await Task.yield()
                }
                guard !self.state.withLock({ $0.away.contains(node) }) else {
                    throw AgentError(retryable: true, code: "unreachable", message: "it is away")
                }
                let number = self.state.withLock { Int64($0.asked.count) }
                return AnsweringNode.result(call, .succeeded, observed: ["number": .integer(number)])
            }, connected: { [] })
    }

    /// Timers run out when the test says so.
    let alarm = Mutex(false)
    var clock: ClockPort {
        ClockPort(
            now: { Timestamp(milliseconds: self.time.withLock { $0 }.wholeMilliseconds) }, pause: { _ in },
            timer: { _ in
                while !self.alarm.withLock({ $0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
            }, uptime: { self.time.withLock { $0 } })
    }
}

@Suite struct LooksTests {
    private let question = Question(driver: "docker", action: "container.inspect", resource: "docker/a")

    @Test func `an answer that is new enough does for all who ask the same`() async {
        let nodes = AskedNodes()
        let looks = Looks(nodes.port, nodes.clock)
        let first = await looks.ask(question, of: "n", by: "test")
        nodes.time.withLock { $0 = .seconds(9) }
        let second = await looks.ask(question, of: "n", noOlderThan: .seconds(10), by: "test")
        #expect(nodes.asked.count == 1 && second.result?.observed == first.result?.observed)
        #expect(second.time == first.time && second.missing == nil)
        nodes.time.withLock { $0 = .seconds(11) }
        let third = await looks.ask(question, of: "n", noOlderThan: .seconds(10), by: "test")
        #expect(nodes.asked.count == 2 && third.time == Timestamp(milliseconds: 11_000))
        // Another node, another question.
        _ = await looks.ask(question, of: "m", noOlderThan: .seconds(10), by: "test")
        var other = question
        other.arguments = ["name": "b"]
        _ = await looks.ask(other, of: "n", noOlderThan: .seconds(10), by: "test")
        #expect(nodes.asked.count == 4)
    }

    @Test func `the same question is asked once at a time, and all hear the answer`() async {
        let nodes = AskedNodes()
        let looks = Looks(nodes.port, nodes.clock)
        nodes.state.withLock { $0.held = ["n"] }
        let answers = await withTaskGroup(of: Look.self) { group in
            for _ in 1...5 { group.addTask { await looks.ask(question, of: "n", by: "test") } }
            while looks.waiting(for: question, of: "n") < 5 { await Task.yield() }
            nodes.state.withLock { $0.held = [] }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(nodes.asked.count == 1)
        #expect(answers.count == 5 && answers.allSatisfy { $0.result?.observed == ["number": 1] })
    }

    @Test func `nobody waits beyond his patience, and hears the last known answer with its time`() async {
        let nodes = AskedNodes()
        let looks = Looks(nodes.port, nodes.clock)
        _ = await looks.ask(question, of: "n", by: "test")
        nodes.time.withLock { $0 = .seconds(60) }
        nodes.state.withLock { $0.held = ["n"] }
        nodes.alarm.withLock { $0 = true }
        let late = await looks.ask(question, of: "n", by: "test")
        #expect(late.missing?.code == "no_answer" || late.missing?.code == "abandoned")
        #expect(late.result?.observed == ["number": 1] && late.time == Timestamp(milliseconds: 0))
        // The question that was never answered stands in nobody's way.
        nodes.state.withLock { $0.held = [] }
        nodes.alarm.withLock { $0 = false }
        while looks.waiting(for: question, of: "n") > 0 { await Task.yield() }
        let again = await looks.ask(question, of: "n", by: "test")
        #expect(again.missing == nil && again.time == Timestamp(milliseconds: 60_000))
    }

    @Test func `a whole fleet is asked side by side, some nodes at a time, and who is silent only once`() async {
        let nodes = AskedNodes()
        let looks = Looks(nodes.port, nodes.clock)
        nodes.state.withLock { $0.away = ["n7"] }
        let names = (1...40).map { "n\($0)" }
        let second = Question(driver: "docker", action: "container.inspect", resource: "docker/second")
        let questions = Dictionary(uniqueKeysWithValues: names.map { ($0, [question, second]) })
        let answers = await looks.askAll(questions, breadth: 4, by: "test")
        #expect(Set(answers.keys) == Set(names))
        #expect(answers["n7"]?.map(\.missing?.code) == ["unreachable"] && answers["n7"]?.first?.result == nil)
        #expect(answers.values.count { $0.count == 2 && $0.allSatisfy { $0.missing == nil } } == 39)
        #expect(nodes.state.withLock { $0.mostInside } <= 4)
    }

    @Test func `only so many answers are kept`() async {
        let nodes = AskedNodes()
        let looks = Looks(nodes.port, nodes.clock, limit: 2)
        for node in ["a", "b", "c"] { _ = await looks.ask(question, of: node, by: "test") }
        _ = await looks.ask(question, of: "c", noOlderThan: .seconds(1), by: "test")
        #expect(nodes.asked.count == 3)
        _ = await looks.ask(question, of: "a", noOlderThan: .seconds(1), by: "test")
        #expect(nodes.asked.count == 4)
    }
}
