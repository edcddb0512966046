/// Columns for people: a header in capitals, two spaces between columns, `-` for what is absent.
struct Table {
    private let header: [String]
    private var rows: [[String]] = []
    /// Columns at the end for those who want all.
    private let extra: Int

    /// - Parameter wide: columns that only `-o wide` shows.
    init(_ header: String..., wide: String...) {
        self.header = (header + wide).map { $0.uppercased() }
        extra = wide.count
    }

    mutating func add(_ cells: String?..., wide: String?...) {
        rows.append(
            (cells + wide).map { cell in
                let text = Terminal.clean(cell ?? "").split(whereSeparator: \.isNewline).joined(separator: " ")
                return text.isEmpty ? "-" : text
            })
    }

    /// With all columns, as wide as it wants to be.
    var wide: String { text([header] + rows, width: nil) }

    /// The whole table as wide as it wants to be, without a line end after its last line.
    var text: String { text(width: nil) }

    /// Cells are cut where the lines would be longer than `width`: the widest columns first, none to less than ten, and never
    /// the first, by which the next command names the thing.
    func text(width limit: Int?) -> String {
        text(([header] + rows).map { Array($0.dropLast(extra)) }, width: limit)
    }

    private func text(_ lines: [[String]], width limit: Int?) -> String {
        let wanted = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let widths = limit.map { Self.fitted(wanted, into: $0) } ?? wanted
        return lines.map { line in
            let cells = zip(line, widths).map { cell, width in
                let cut = cell.count > width ? cell.prefix(width - 1) + "…" : cell[...]
                return cut + String(repeating: " ", count: width - cut.count)
            }
            var text = Substring(cells.joined(separator: "  "))
            while text.last == " " { text.removeLast() }
            return String(text)
        }.joined(separator: "\n")
    }

    private static func fitted(_ wanted: [Int], into limit: Int) -> [Int] {
        var widths = wanted
        while widths.reduce(0, +) + 2 * (widths.count - 1) > limit {
            guard let widest = widths.indices.dropFirst().max(by: { widths[$0] < widths[$1] }), widths[widest] > 10
            else { break }
            widths[widest] -= 1
        }
        return widths
    }
}

/// Names and values of one thing, one pair a line.
struct Card {
    private var lines: [(name: String, value: String)] = []

    mutating func add(_ name: String, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        lines.append((name, Terminal.clean(value)))
    }

    var text: String {
        let width = lines.map(\.name.count).max() ?? 0
        return lines.map { line in
            // A further line of a value, which may be a node's word, must not pass for a line of the card.
            let indent = String(repeating: " ", count: width + 2)
            return line.name + ":" + String(repeating: " ", count: width - line.name.count + 1)
                + line.value.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
                .joined(separator: "\n" + indent)
        }.joined(separator: "\n")
    }
}
