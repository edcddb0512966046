import APIModels
import Model
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension HostilePeers {
    /// A node that was let in, and says what it should not.
    @Suite struct SessionTests {
        @Test func `results for commands that nobody gave are taken off the agent's hands and change nothing`()
            async throws
        {
            try await Witness.watch { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                for index in 0..<500 {
                    let result = CommandResult(
                        id: "op_never.container.\(index)", status: .succeeded, changed: true, finished: 1)
                    agent.peer.offer(AgentMessage.result(result).line())
                }
                try await agent.expectAlive()
                let isAcknowledged = await eventually {
                    agent.peer.messages.reduce(0) { if case .ack(let ack) = $1 { $0 + ack.results.count } else { $0 } }
                        == 500
                }
                #expect(isAcknowledged)
                #expect(await log.says("results of unknown commands"))
                await agent.peer.close()
            }
        }

        @Test func `one node cannot speak for another's commands`() async throws {
            try await Witness.watch { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                let accepted = try await ground.site.create(ground.name("forged"), plan: "witness")
                let (operation, service) = (accepted.operation.id, try #require(accepted.service?.id))
                let steps = ["image", "dataset", "container", "start", "check", "ready", "snapshot", "volume"]
                while try await !ground.front.get("/api/v1/operations/\(operation)", as: Operation.self).isFinished {
                    for step in steps { lie(agent, "\(operation).\(step).1") }
                    try await Task.sleep(for: .milliseconds(20))
                }
                let ended = try await ground.front.ended(operation)
                #expect(ended.state == "succeeded", "\(ended.error?.message ?? "")")
                #expect(try await !ground.front.log(operation).contains { $0.contains("lie") })
                try await agent.expectAlive()
                await agent.peer.close()
                try await ground.site.terminate(service)
            }
        }

        private func lie(_ agent: HostileAgent, _ command: String) {
            let error = CommandError(
                code: .failed, message: "a lie", retryable: false, operation: "container.ensure", resource: "docker/x")
            let result = CommandResult(id: command, status: .failed, changed: true, error: error, finished: 1)
            for message: AgentMessage in [
                .accepted(Accepted(id: command, status: .running, duplicate: false)),
                .progress(CommandProgress(id: command, message: "a lie")),
                .output(Output(id: command, stream: .stdout, offset: 0, data: Array("a lie".utf8))), .result(result),
            ] { agent.peer.offer(message.line()) }
        }

        static let edges: [Int64] = [0, 1, 2, .max / 2, .max - 2, .max - 1, .max]

        @Test func `positions that jump or go back are survived, and the session goes on`() async throws {
            try await Witness.watch { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                let names = ["hostile.figure"]
                try await agent.say(.series(SeriesDefinition(names: names)))
                let time = Timestamp.now().milliseconds
                for seq in [5, 4, 3, 2, 1, 0, 5] + Self.edges + [6, 7] {
                    try await agent.say(
                        .metrics(Metrics(seq: seq, time: time, set: SeriesDefinition.identity(of: names), values: [1])))
                    try await agent.say(.usage(Usage(seq: seq, time: time, counters: [])))
                    try await agent.say(.event(NodeEvent(seq: seq, time: time, driver: "host", kind: "odd")))
                }
                for from in Self.edges {
                    for to in Self.edges where to >= from {
                        try await agent.say(
                            .gap(Gap(kind: .metrics, fromSeq: from, toSeq: to, from: time, to: time, reason: "odd")))
                    }
                }
                try await agent.expectAlive()
                await agent.peer.close()
                try await greetAgain(ground, agent.node)
            }
        }

        /// The same node with spools that cannot be.
        private func greetAgain(_ ground: Ground, _ node: String) async throws {
            for last in Self.edges {
                let agent = try await HostileAgent.dial(ground, as: node)
                let range = SpoolRange(first: last, last: last)
                let spool = SpoolReport(epoch: "odd-\(last)", metrics: range, usage: range, events: range)
                try await agent.greet(spool)
                try await agent.expectAlive()
                await agent.peer.close()
                _ = await agent.peer.isLeft()
            }
        }

        static let odd: [(String, AgentMessage)] = {
            let (set, time) = (SeriesDefinition.identity(of: ["a"]), Timestamp.now().milliseconds)
            return [
                ("a sample at the end of time", .metrics(Metrics(seq: 1, time: .max, set: set, values: [1]))),
                ("usage at the end of time", .usage(Usage(seq: 1, time: .max, counters: []))),
                (
                    "an event beyond the year 9999",
                    .event(NodeEvent(seq: 1, time: 253_402_300_800_000, driver: "a", kind: "b"))
                ),
                (
                    "a gap to the end of time",
                    .gap(Gap(kind: .events, fromSeq: 1, toSeq: 2, from: 0, to: .max, reason: "x"))
                ),
                (
                    "samples of an unknown set",
                    .metrics(Metrics(seq: 1, time: time, set: "0123456789abcdef", values: [1]))
                ),
                ("more values than names", .metrics(Metrics(seq: 1, time: time, set: set, values: [1, 2]))),
            ]
        }()

        @Test func `samples that cannot be end the session`() async throws {
            try await Witness.watch { ground, log in
                let node = try await ground.newNode()
                for (name, message) in Self.odd {
                    let agent = try await HostileAgent.dial(ground, as: node)
                    try await agent.greet()
                    try await agent.say(.series(SeriesDefinition(names: ["a"])))
                    try await agent.say(message)
                    let goodbye = await agent.peer.goodbye()
                    #expect(goodbye?.code == .malformed, "\(name): \(String(describing: goodbye))")
                }
            }
        }

        @Test func `a message out of turn ends the session`() async throws {
            try await Witness.watch { ground, log in
                let node = try await ground.newNode()
                let (hello, beat) = (
                    AgentMessage.hello(HostileAgent.hello(node)), AgentMessage.heartbeat(Heartbeat(seq: 1, time: 1))
                )
                let enrol = AgentMessage.enrol(
                    EnrolmentRequest(token: "t", secret: "s", csr: "-----BEGIN ", hostname: "h", agent: "a"))
                for lines: [AgentMessage] in [[beat], [hello, beat], [hello, hello], [enrol]] {
                    let agent = try await HostileAgent.dial(ground, as: node)
                    try await agent.peer.send(lines.flatMap { $0.line() })
                    await agent.expectGoodbye(.protocol)
                }
                for line in [hello, enrol] {
                    let agent = try await HostileAgent.dial(ground, as: node)
                    try await agent.greet()
                    try await agent.say(line)
                    await agent.expectGoodbye(.protocol)
                }
                var later = HostileAgent.hello(node)
                later.protocol = [2, 9, .max]
                let agent = try await HostileAgent.dial(ground, as: node)
                try await agent.say(.hello(later))
                await agent.expectGoodbye(.protocol)
            }
        }
    }
}
