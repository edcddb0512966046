package import ControllerCore

/// Lets one at a time through, in the order in which they came.
package actor Turns {
    private let clock: ClockPort
    private var isTaken = false
    private var waiting: [(number: Int, go: CheckedContinuation<Bool, Never>)] = []
    private var next = 0

    package init(clock: ClockPort) { self.clock = clock }

    /// Throws `busy` for who would wait longer than `patience`, or is called off.
    /// - Parameter what: they wait for, for people.
    package func take<Value: Sendable>(
        _ what: String, patience: Duration, _ body: @Sendable () async throws(PortError) -> Value
    ) async throws(PortError) -> Value {
        guard await enter(patience) else {
            throw PortError(.busy, "\(what) has others before; it is asked again later")
        }
        let result: Result<Value, PortError>
        do throws(PortError) { result = .success(try await body()) } catch { result = .failure(error) }
        leave()
        return try result.get()
    }

    private func enter(_ patience: Duration) async -> Bool {
        guard isTaken else {
            isTaken = true
            return true
        }
        next += 1
        let number = next
        let alarm = Task { [clock] in
            await clock.timer(patience)
            self.giveUp(number)
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiting.append((number, $0)) }
        } onCancel: {
            alarm.cancel()
        }
    }

    private func giveUp(_ number: Int) {
        guard let place = waiting.firstIndex(where: { $0.number == number }) else { return }
        waiting.remove(at: place).go.resume(returning: false)
    }

    private func leave() {
        guard !waiting.isEmpty else { return isTaken = false }
        waiting.removeFirst().go.resume(returning: true)
    }
}
