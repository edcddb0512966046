package import Placement
package import WireProtocol

extension PlacementResult {
    /// Words that are kept with an operation. A large fleet's would weigh more than the operation itself.
    static let keptWords = 100

    /// The chosen node first, then those that would have fitted, best first, then the others by name.
    var ranked: [Word] {
        words.sorted { ($0.verdict.rank, $0.name, $0.node) < ($1.verdict.rank, $1.name, $1.node) }
    }

    /// `{node?, pool?, nodes: [{node, name, verdict, score?, explanation}], left_out?}`, ranked.
    /// - Parameter limit: words beyond it are only counted, in `left_out`.
    package func json(limit: Int = .max) -> JSONObject {
        var json: JSONObject = [:]
        json["node"] = choice.map { .string($0.node) }
        json["pool"] = choice.map { .string($0.pool) }
        json["nodes"] = .array(ranked.prefix(limit).map { .object($0.json) })
        if words.count > limit { json["left_out"] = .integer(Int64(words.count - limit)) }
        return json
    }
}

extension PlacementResult.Word {
    /// `web-2: it is cordoned`.
    var sentence: String { "\(name): \(verdict)" }

    fileprivate var json: JSONObject {
        var json: JSONObject = [
            "node": .string(node), "name": .string(name), "verdict": .string(verdict.word),
        ]
        json["score"] = verdict.score.map { .integer(Int64($0)) }
        json["explanation"] = .string(sentence)
        return json
    }
}

extension PlacementVerdict {
    fileprivate var word: String {
        switch self {
        case .chosen: "chosen"
        case .outscored: "outscored"
        case .excluded: "excluded"
        }
    }

    /// Out of 1000; nil for a node that cannot take the service.
    fileprivate var score: Int? {
        switch self {
        case .chosen(let score, _), .outscored(let score, _): score
        case .excluded: nil
        }
    }

    fileprivate var rank: Int {
        switch self {
        case .chosen: 0
        case .outscored(let score, _): 1 + max(0, 1000 - score)
        case .excluded: .max
        }
    }
}
