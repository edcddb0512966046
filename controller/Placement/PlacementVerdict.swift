/// What the placement made of one node.
package enum PlacementVerdict: Sendable, Hashable, CustomStringConvertible {
    /// Chosen; the score is out of 1000, the storage as reservations name it, empty where none is wanted.
    case chosen(score: Int, pool: String)
    /// It would have fitted, but another one was better.
    case outscored(score: Int, best: Int)
    case excluded([Exclusion])

    package var description: String {
        switch self {
        case .chosen(let score, ""): "chosen with a score of \(score)"
        case .chosen(let score, let pool): "chosen with a score of \(score), pool \(pool)"
        case .outscored(let score, let best) where score == best:
            "it fits with the same score of \(score); fewer services, then the lower id decides"
        case .outscored(let score, let best): "it fits with a score of \(score), the chosen one has \(best)"
        case .excluded(let reasons): reasons.map(\.description).joined(separator: "; ")
        }
    }
}

/// The node and pool for a service, and the word on every node.
package struct PlacementResult: Sendable, Hashable {
    package struct Choice: Sendable, Hashable {
        package var node: String
        /// The storage as reservations name it; empty where none is wanted.
        package var pool: String
    }

    /// What was made of one candidate.
    package struct Word: Sendable, Hashable {
        package var node: String
        package var name: String
        package var verdict: PlacementVerdict
    }

    /// Nil when no node fits.
    package var choice: Choice?
    /// One for each candidate, in the order of their ids.
    package let words: [Word]

    /// One line for each node: `web-2: it is cordoned`.
    package var explanation: [String] { words.map { "\($0.name): \($0.verdict)" } }
}
