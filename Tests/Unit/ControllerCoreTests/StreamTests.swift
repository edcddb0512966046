import AgentCommands
import Logging
import Model
import Placement
import Saga
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

/// A command that reads input and answers with it, through a link that has its moods.
private final class EchoNode: Sendable {
    struct State { var input: [UInt8] = [], ended = false, calls = 0, granted = 0 }
    let state = Mutex(State())
    let loses: Bool

    init(loses: Bool = false) { self.loses = loses }

    var port: AgentsPort {
        AgentsPort(
            perform: { call, _ throws(AgentError) in
                while !self.state.withLock({ $0.ended }) { await Task.yield() }
                let input = self.state.withLock { $0.input }
                let stream = OutputStream.stdout
                await call.observer.output(Output(id: call.id, stream: stream, offset: 0, data: Array(input.prefix(5))))
                // After a reconnect some of it comes again.
                await call.observer.output(Output(id: call.id, stream: stream, offset: 3, data: Array(input[3...])))
                return CommandResult(
                    id: call.id, status: .succeeded, changed: true, observed: ["read": .integer(Int64(input.count))],
                    finished: 1, outputBytes: Int64(input.count) + (self.loses ? 1 : 0))
            },
            input: { _, data, offset, end in
                self.state.withLock { state in
                    state.calls += 1
                    switch state.calls {
                    case 1: return .unknown
                    case 2: return .full
                    case 4: return .gap(from: Int64(state.input.count))
                    default: break
                    }
                    guard offset == Int64(state.input.count) else { return .gap(from: Int64(state.input.count)) }
                    // It takes a part.
                    let taken = data.prefix(max(1, data.count / 2 + 1))
                    state.input += taken
                    state.ended = end && taken.count == data.count
                    return .taken(upTo: Int64(state.input.count))
                }
            }, grant: { _, bytes in self.state.withLock { $0.granted += bytes } }, connected: { ["nod_1"] })
    }
}

/// What a saga hands to a command and hears from it.
@Suite struct StreamTests {
    private func converse(
        _ node: EchoNode, _ input: [UInt8], limit: Int = 1 << 20
    ) async throws -> (observed: JSONObject, output: CommandOutput)? {
        var result: (JSONObject, CommandOutput)?
        try await Stage.with { stage in
            var dependencies = stage.dependencies
            dependencies.agents = node.port
            let service = try await stage.provision()
            let scope = ServiceScope(
                dependencies: dependencies, rules: .standard,
                operation: OperationRecord(id: "op", kind: "x", createdAt: .now()),
                verb: .repair, service: service, note: { _, _ in })
            let call = StepCall(
                operation: "op", step: "s", command: "op.s.1", attempt: 1, unwinding: false, deadline: .seconds(60),
                context: [:], outputs: [:])
            let order = ActionRequest(
                driver: "docker", action: "container.exec", resource: "docker/a", arguments: [:])
            result = try await scope.send(order, to: "nod_1", call, input: input, limit: limit)
        }
        return result
    }

    @Test func `a command gets its whole input, and what it says is heard once`() async throws {
        let node = EchoNode()
        let input = (0..<200_000).map { UInt8($0 % 251) }
        let (observed, output) = try #require(try await converse(node, input))
        #expect(observed["read"] == 200_000)
        #expect(output.stdout == input && output.stderr.isEmpty && output.isWhole)
        #expect(node.state.withLock { $0.granted } >= input.count)
    }

    @Test func `output that is not whole is not taken for it`() async throws {
        let input = Array("hello, world".utf8)
        #expect(try await converse(EchoNode(loses: true), input)?.output.isWhole == false)
        let (_, cut) = try #require(try await converse(EchoNode(), input, limit: 7))
        #expect(cut.stdout == Array(input.prefix(7)) && !cut.isWhole)
    }
}
