import AgentCommands
package import Saga
import Synchronization
package import WireProtocol

/// What a command said.
package struct CommandOutput: Sendable, Hashable {
    package var stdout: [UInt8]
    package var stderr: [UInt8]
    /// False when a part was not heard: the output of a command that an earlier life had sent is gone, and what is beyond the
    /// limit is dropped.
    package var isWhole: Bool
}

extension ServiceWork {
    /// Sends a command that reads `input` to its end, and hears what it says.
    /// - Parameter limit: bytes of output that are kept.
    package func send(
        _ request: ActionRequest, to node: String, _ call: StepCall, input: [UInt8], limit: Int = 1 << 20
    ) async throws(StepFailure) -> (observed: JSONObject, output: CommandOutput) {
        let (agents, id) = (dependencies.agents, call.command)
        let heard = Heard(limit: limit)
        var command = command(request, call)
        command.observer.grantsCredit = true
        command.observer.output = { output in
            heard.take(output)
            agents.grant(id, output.data.count)
        }
        let feeding = Task { await agents.feed(input, to: id) }
        defer { feeding.cancel() }
        let result: CommandResult
        do throws(AgentError) { result = try await agents.perform(command, node) } catch {
            throw StepFailure(
                error.retryable ? .unanswered : .final, code: error.code, message: error.message,
                resource: request.resource)
        }
        await learn(from: result, of: command, on: node)
        return (try result.observation(of: request.resource), heard.output(of: result))
    }
}

extension AgentsPort {
    private static let chunk = 64 << 10

    /// Hands a command its whole input, as fast as it takes it. A command that was sent before goes on where it was.
    fileprivate func feed(_ bytes: [UInt8], to command: String) async {
        var place = 0
        while !Task.isCancelled {
            let end = min(bytes.count, place + Self.chunk)
            switch await input(command, Array(bytes[place..<end]), Int64(place), end == bytes.count) {
            case .taken(let upTo):
                place = min(bytes.count, max(0, Int(upTo)))
                if end == bytes.count, place == bytes.count { return }
            case .gap(let from): place = min(bytes.count, max(0, Int(from)))
            case .ended: return
            // It is on its way, or has not read what it has.
            case .full, .unknown: try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}

/// Collects output; what comes again after a reconnect counts once.
private final class Heard: Sendable {
    private struct State {
        var streams: [Bool: [UInt8]] = [:]
        var isWhole = true
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    func take(_ output: Output) {
        let isError = output.stream == .stderr
        state.withLock { state in
            let have = state.streams[isError]?.count ?? 0
            let known = Int64(have) - output.offset
            guard known >= 0 else { return state.isWhole = false }
            let fresh = output.data.dropFirst(Int(min(known, Int64(output.data.count))))
            let room = max(0, limit - have)
            if fresh.count > room { state.isWhole = false }
            state.streams[isError, default: []] += fresh.prefix(room)
        }
    }

    func output(of result: CommandResult) -> CommandOutput {
        state.withLock { state in
            let stdout = state.streams[false] ?? []
            return CommandOutput(
                stdout: stdout, stderr: state.streams[true] ?? [],
                isWhole: state.isWhole && result.outputBytes.map { $0 == Int64(stdout.count) } ?? true)
        }
    }
}
