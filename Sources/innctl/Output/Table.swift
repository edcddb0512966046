/// Columns for people: a header in capitals, two spaces between columns, `-` for what is absent.
struct Table {
    private let header: [String]
    private var rows: [[String]] = []

    init(_ header: String...) {
        self.header = header.map { $0.uppercased() }
    }

    mutating func add(_ cells: String?...) {
        rows.append(
            cells.map { cell in
                let text = Terminal.clean(cell ?? "").split(whereSeparator: \.isNewline).joined(separator: " ")
                return text.isEmpty ? "-" : text
            })
    }

    /// The whole table, without a line end after its last line.
    var text: String {
        let lines = [header] + rows
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let cells = zip(line, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            var text = Substring(cells.joined(separator: "  "))
            while text.last == " " { text.removeLast() }
            return String(text)
        }.joined(separator: "\n")
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
            line.name + ":" + String(repeating: " ", count: width - line.name.count + 1) + line.value
        }.joined(separator: "\n")
    }
}
