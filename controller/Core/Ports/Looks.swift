package import AgentCommands
package import Model
import Synchronization
package import WireProtocol

/// Something that a node can be asked without changing anything.
package struct Question: Sendable, Hashable {
    package var driver: String
    package var action: String
    package var resource: String
    package var arguments: JSONObject
    /// Not older than that of the last command for the resource.
    package var generation: Int64

    package init(
        driver: String, action: String, resource: String, arguments: JSONObject = [:], generation: Int64 = 0
    ) {
        (self.driver, self.action, self.resource) = (driver, action, resource)
        (self.arguments, self.generation) = (arguments, generation)
    }
}

/// What is known of a question.
package struct Look: Sendable {
    /// Of the last answer; nil when there never was one.
    package var result: CommandResult?
    /// When that came.
    package var time: Timestamp?
    /// Why there is none that is as new as was asked for; nil when there is.
    package var missing: AgentError?
}

/// Questions to nodes outside operations. Answers are kept for others who ask the same; the same question is asked once at a
/// time; nobody waits beyond a limit, and then hears the last known answer with its age.
package final class Looks: Sendable {
    private typealias Answer = Result<CommandResult, AgentError>

    private struct Key: Hashable {
        var node: String
        var question: Question
    }

    private struct Known {
        var result: CommandResult
        var time: Timestamp
        /// By a clock that nobody sets.
        var moment: Duration
    }

    private struct State {
        var known: [Key: Known] = [:]
        /// In which they were first answered.
        var order: [Key] = []
        /// Who waits for the answer to a question that is under way.
        var waiting: [Key: [AsyncStream<Answer>.Continuation]] = [:]

        mutating func keep(_ answer: Known, _ key: Key, _ limit: Int) {
            guard known.updateValue(answer, forKey: key) == nil else { return }
            order.append(key)
            if order.count > limit { known[order.removeFirst()] = nil }
        }
    }

    private let agents: AgentsPort
    private let clock: ClockPort
    private let limit: Int
    private let state = Mutex(State())

    /// Nodes that are asked at a time.
    package static let breadth = 16

    /// - Parameter limit: answers that are kept.
    package init(_ agents: AgentsPort, _ clock: ClockPort, limit: Int = 2000) {
        (self.agents, self.clock, self.limit) = (agents, clock, max(1, limit))
    }

    /// - Parameters:
    ///   - age: an answer that is no older does; zero asks anew, but joins a question that is under way.
    ///   - patience: how long to wait for an answer.
    ///   - name: of who asks, for the node's log.
    package func ask(
        _ question: Question, of node: String, noOlderThan age: Duration = .zero, patience: Duration = .seconds(30),
        by name: String
    ) async -> Look {
        let key = Key(node: node, question: question)
        if let known = state.withLock({ $0.known[key] }), clock.uptime() - known.moment <= age, age > .zero {
            return Look(result: known.result, time: known.time, missing: nil)
        }
        let answer = await answer(key, name, patience)
        let known = state.withLock { $0.known[key] }
        var look = Look(result: known?.result, time: known?.time, missing: nil)
        if case .failure(let error) = answer { look.missing = error }
        return look
    }

    /// Many nodes side by side, each its questions one after another: one that does not answer holds up no other. A node that
    /// gives no answer to one question gives none to the next either: its looks end with that one.
    /// - Parameters:
    ///   - questions: by node.
    ///   - patience: for each answer.
    ///   - breadth: nodes that are asked at a time.
    /// - Returns: by node, in the order of its questions.
    package func askAll(
        _ questions: [String: [Question]], patience: Duration = .seconds(30), breadth: Int = Looks.breadth,
        by name: String
    ) async -> [String: [Look]] {
        await withTaskGroup(of: (String, [Look]).self) { group in
            var left = questions.sorted { $0.key < $1.key }[...]
            var answers: [String: [Look]] = [:]
            func begin() {
                guard let (node, questions) = left.popFirst() else { return }
                group.addTask { (node, await self.ask(questions, of: node, patience, name)) }
            }
            for _ in 0..<breadth { begin() }
            while let (node, looks) = await group.next() {
                answers[node] = looks
                begin()
            }
            return answers
        }
    }

    private func ask(
        _ questions: [Question], of node: String, _ patience: Duration, _ name: String
    ) async -> [Look] {
        var looks: [Look] = []
        for question in questions where looks.last?.missing == nil {
            looks.append(await ask(question, of: node, patience: patience, by: name))
        }
        return looks
    }

    /// Waits no longer than `patience`, whoever began to ask and whenever.
    private func answer(_ key: Key, _ name: String, _ patience: Duration) async -> Answer {
        let (stream, continuation) = AsyncStream.makeStream(of: Answer.self)
        let isFirst = state.withLock { state in
            state.waiting[key, default: []].append(continuation)
            return state.waiting[key]?.count == 1
        }
        if isFirst { Task { await self.perform(key, name, patience) } }
        let late = Answer.failure(
            AgentError(retryable: true, code: "no_answer", message: "the node gave no answer in time"))
        let alarm = Task { [clock] in
            await clock.timer(patience)
            if !Task.isCancelled { continuation.yield(late) }
        }
        defer { alarm.cancel() }
        for await answer in stream { return answer }
        return late
    }

    private func perform(_ key: Key, _ name: String, _ patience: Duration) async {
        let question = key.question
        let command = AgentCommand(
            id: Identifier.make("look"), resource: question.resource, generation: question.generation,
            driver: question.driver, action: question.action, arguments: question.arguments, deadline: patience,
            by: name, isLook: true)
        let work = Task { [agents] () -> Answer in
            do throws(AgentError) { return .success(try await agents.perform(command, key.node)) } catch {
                return .failure(error)
            }
        }
        // One that is never answered must not stand in the way of the next.
        let alarm = Task { [clock] in
            await clock.timer(patience + .seconds(5))
            if !Task.isCancelled { work.cancel() }
        }
        keep(await work.value, key)
        alarm.cancel()
    }

    private func keep(_ answer: Answer, _ key: Key) {
        let (time, moment) = (clock.now(), clock.uptime())
        let waiting = state.withLock { state in
            if case .success(let result) = answer {
                state.keep(Known(result: result, time: time, moment: moment), key, limit)
            }
            return state.waiting.removeValue(forKey: key) ?? []
        }
        for continuation in waiting { continuation.yield(answer) }
    }
}

extension Looks {
    /// Those who wait for the answer to a question that is under way.
    func waiting(for question: Question, of node: String) -> Int {
        state.withLock { $0.waiting[Key(node: node, question: question)]?.count ?? 0 }
    }
}
