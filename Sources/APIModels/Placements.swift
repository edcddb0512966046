/// Where a service goes, and the word on every node: the chosen one first, then those that would have fitted, best first,
/// then the others by name.
package struct PlacementView: Codable, Sendable, Hashable {
    /// Nil when no node can take it.
    package var node: String?
    /// The storage pool on that node.
    package var pool: String?
    package var nodes: [PlacementWord]
    /// How many more nodes there were, when the list was cut short.
    package var leftOut: Int?

    package init(node: String?, pool: String?, nodes: [PlacementWord], leftOut: Int?) {
        self.node = node
        self.pool = pool
        self.nodes = nodes
        self.leftOut = leftOut
    }
}

/// What the placement made of one node.
package struct PlacementWord: Codable, Sendable, Hashable {
    package var node: String
    package var name: String
    /// `chosen`, `outscored` (it would have fitted, another one was better) or `excluded`.
    package var verdict: String
    /// Out of 1000; absent when it was excluded.
    package var score: Int?
    /// One sentence.
    package var explanation: String

    package init(node: String, name: String, verdict: String, score: Int?, explanation: String) {
        self.node = node
        self.name = name
        self.verdict = verdict
        self.score = score
        self.explanation = explanation
    }
}
