package import ControllerCore

/// What a log-in has given, kept until it ends. All who need it at once share one log-in.
package actor Session<Value: Sendable & Equatable> {
    private let clock: ClockPort
    private let logIn: @Sendable () async throws(PortError) -> (value: Value, lasts: Duration)
    private var current: (value: Value, until: Duration)?
    private var arriving: Task<Result<(value: Value, lasts: Duration), PortError>, Never>?

    /// - Parameter logIn: gives what is used from then on, and for how long.
    package init(
        clock: ClockPort, logIn: @escaping @Sendable () async throws(PortError) -> (value: Value, lasts: Duration)
    ) {
        (self.clock, self.logIn) = (clock, logIn)
    }

    package func value() async throws(PortError) -> Value {
        if let current, clock.uptime() < current.until { return current.value }
        let arriving =
            arriving
            ?? Task { [logIn] in
                do throws(PortError) { return .success(try await logIn()) } catch { return .failure(error) }
            }
        self.arriving = arriving
        let result = await arriving.value
        if self.arriving == arriving {
            self.arriving = nil
            if case .success(let new) = result { current = (new.value, clock.uptime() + new.lasts) }
        }
        return try result.get().value
    }

    /// Ends it where it is still that one: of many who find out together only the first ends the session.
    package func end(_ value: Value) {
        if current?.value == value { current = nil }
    }
}
