/// The word that was meant.
package enum Near {
    /// The one of `known` that is so near to `word` that it may have been meant.
    package static func word(to word: String, among known: some Sequence<String>) -> String? {
        let near = known.map { (name: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
        return near.flatMap { $0.distance <= max(1, min(3, word.count / 3)) ? $0.name : nil }
    }

    /// `; did you mean "list"?`, or a full stop.
    package static func guess(_ word: String, among known: some Sequence<String>) -> String {
        self.word(to: word, among: known).map { "; did you mean \"\($0)\"?" } ?? "."
    }

    /// Letters to change, add, leave out or exchange with their neighbour until one word is the other.
    package static func distance(_ one: String, _ other: String) -> Int {
        let (a, b) = (Array(one.prefix(64)), Array(other.prefix(64)))
        var rows = [Array(0...b.count)]
        for i in 1...max(1, a.count) where i <= a.count {
            var row = [i]
            for j in 1...max(1, b.count) where j <= b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
