/// How long to wait before the next attempt to connect: exponential from 1 s to 60 s, spread by chance so that a fleet does
/// not come back all at once.
package struct Backoff: Sendable {
    private static let longest = 60.0
    private var ceiling = 2.0

    package init() {}

    /// The wait before the next attempt, 1...60 s.
    /// - Parameter chance: a random number of 0..<1.
    package mutating func next(chance: Double) -> Duration {
        let wait = 1 + chance * (ceiling - 1)
        ceiling = min(ceiling * 2, Self.longest)
        return .milliseconds(Int64(wait * 1000))
    }

    /// Starts over after a session that was good.
    package mutating func reset() { self = Backoff() }

    /// Goes to the longest waits at once, for a controller that said not to come back.
    package mutating func slowDown() { ceiling = Self.longest }
}
