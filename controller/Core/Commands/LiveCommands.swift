import Synchronization
import WireProtocol

/// The commands that run now: what they say, and the way to their input. Bounded: what has ended is kept for a moment, for
/// readers that come late.
package final class LiveCommands: Sendable {
    /// Ended ones that are kept.
    private static let endedLimit = 32
    private static let patience = Duration.seconds(60)

    private struct State {
        var outputs: [String: LiveOutput] = [:]
        /// The id under which an operation's command is on its way now.
        var commands: [String: String] = [:]
        var ended: [String] = []
        var bells: [String: [Int: AsyncStream<Void>.Continuation]] = [:]
        var nextBell = 0
        /// When somebody last showed that he sits in front of an operation's command.
        var attended: [String: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The output of an operation's command; nil before it begins and some time after its end.
    package func output(of operation: String) -> LiveOutput? { state.withLock { $0.outputs[operation] } }

    /// The command that takes input for an operation now.
    package func command(of operation: String) -> String? { state.withLock { $0.commands[operation] } }

    /// Somebody sits in front of an operation's command, though he may not read just now.
    package func attend(_ operation: String) {
        state.withLock { if $0.commands[operation] != nil { $0.attended[operation] = .now } }
    }

    /// Rings when something may be new; several rings become one.
    package func bell(of operation: String) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.nextBell += 1
            state.bells[operation, default: [:]][state.nextBell] = continuation
            return state.nextBell
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in
                state.bells[operation]?[number] = nil
                if state.bells[operation]?.isEmpty == true { state.bells[operation] = nil }
            }
        }
        return stream
    }

    /// A command is on its way. One that is taken up again goes on where its output was.
    func begin(
        _ operation: String, command: String, isFollowed: Bool, credit: @escaping @Sendable (Int) -> Void
    ) -> LiveOutput {
        state.withLock { state in
            state.commands[operation] = command
            state.attended[operation] = .now
            state.ended.removeAll { $0 == operation }
            if let output = state.outputs[operation] { return output }
            let output = LiveOutput(isFollowed: isFollowed, credit: credit) { [weak self] in self?.ring(operation) }
            state.outputs[operation] = output
            return output
        }
    }

    /// Nothing more comes from it.
    func end(_ operation: String) {
        state.withLock { state in
            state.commands[operation] = nil
            state.attended[operation] = nil
            guard state.outputs[operation] != nil else { return }
            state.ended.append(operation)
            guard state.ended.count > Self.endedLimit else { return }
            state.outputs[state.ended.removeFirst()] = nil
        }
        ring(operation)
    }

    /// Runs beside a command: one whose reader never comes, or stays away, must not wait for ever.
    static func watch(_ output: LiveOutput) async {
        while (try? await Task.sleep(for: .seconds(5))) != nil { output.release(ifUnreadFor: patience) }
    }

    /// Runs beside a command that somebody sits in front of, and calls `leave` when there was neither a reader nor another
    /// sign of him for as long as `patience`.
    func watch(
        _ operation: String, patience: Duration = .seconds(30), leave: @Sendable () async -> Void
    ) async {
        while (try? await Task.sleep(for: min(.seconds(1), patience / 4))) != nil {
            guard let last = lastSign(of: operation) else { return }
            guard ContinuousClock.now - last >= patience else { continue }
            return await leave()
        }
    }

    /// Now, while there is a reader.
    private func lastSign(of operation: String) -> ContinuousClock.Instant? {
        state.withLock { state in
            if state.bells[operation] != nil, state.attended[operation] != nil { state.attended[operation] = .now }
            return state.attended[operation]
        }
    }

    private func ring(_ operation: String) {
        let bells = state.withLock { Array(($0.bells[operation] ?? [:]).values) }
        for bell in bells { bell.yield() }
    }
}
