import Model

extension PlacementResult {
    /// Why nodes were excluded, those with the same reasons together, the most nodes first:
    /// `2 nodes (web-1, web-2): no driver docker; 1 node (web-3): not enough memory (2.0 GiB wanted, at most 1.0 GiB free)`.
    package var reasons: String {
        var groups: [[String]: [Word]] = [:]
        for word in words {
            guard case .excluded(let exclusions) = word.verdict else { continue }
            groups[exclusions.map(\.kind), default: []].append(word)
        }
        let ordered = groups.sorted { one, other in
            (-one.value.count, one.key.joined()) < (-other.value.count, other.key.joined())
        }
        return ordered.map { kinds, words in Self.sentence(kinds, words) }.joined(separator: "; ")
    }

    /// Names told of one group.
    private static let toldNames = 3

    private static func sentence(_ kinds: [String], _ words: [Word]) -> String {
        let names = words.map(\.name).sorted().prefix(toldNames) + (words.count > toldNames ? ["…"] : [])
        let figures = kinds.indices.map { place in
            words.compactMap { word -> Exclusion? in
                guard case .excluded(let exclusions) = word.verdict else { return nil }
                return exclusions[place]
            }
        }
        let texts = zip(kinds, figures).map { kind, exclusions in kind + Exclusion.figures(of: exclusions) }
        return "\(words.count) \(words.count == 1 ? "node" : "nodes") (\(names.joined(separator: ", "))): "
            + texts.joined(separator: " and ")
    }
}

extension Exclusion {
    /// What it is without the figures of one node.
    fileprivate var kind: String {
        switch self {
        case .labelMissing(let key, let value, _): return "no label \(key)=\(value)"
        case .cpu: return "not enough processor"
        case .memory: return "not enough memory"
        case .disk, .storageFloor: return "not enough disk"
        default:
            let start = ["it is ", "it has "].first { description.hasPrefix($0) } ?? ""
            return String(description.dropFirst(start.count))
        }
    }

    /// What was wanted, and the most that any of them has left; nothing for what is no amount.
    fileprivate static func figures(of group: [Exclusion]) -> String {
        let amounts = group.compactMap(\.amount)
        guard let wanted = amounts.first?.wanted, let most = amounts.max(by: { $0.free < $1.free }) else { return "" }
        return " (\(most.text(wanted)) wanted, at most \(most.text(most.free)) free)"
    }

    private struct Amount {
        var wanted: Int64
        var free: Int64
        var text: (Int64) -> String
    }

    private var amount: Amount? {
        switch self {
        case .cpu(let wanted, let free): Amount(wanted: wanted, free: free, text: Self.cores)
        case .memory(let wanted, let free): Amount(wanted: wanted, free: free, text: Self.size)
        case .disk(_, let wanted, let free): Amount(wanted: wanted, free: free, text: Self.size)
        case .storageFloor(_, let wanted, let free, let floor):
            Amount(wanted: wanted, free: max(0, free - floor), text: Self.size)
        default: nil
        }
    }
}
