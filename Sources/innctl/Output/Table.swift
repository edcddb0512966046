/// Columns for people: a header in capitals, two spaces between columns, `-` for what is absent.
struct Table {
    private let header: [String]
    private var rows: [[String]] = []
    /// Columns at the end for those who want all.
    private let extra: Int
    /// Columns that are left out where the terminal is too narrow, the first ones first.
    private let yielding: [String]

    /// - Parameters:
    ///   - wide: columns that only `-o wide` shows.
    ///   - yielding: columns that are left out where the terminal is too narrow for all, the first ones first.
    init(_ header: String..., wide: String..., yielding: [String] = []) {
        self.header = (header + wide).map { $0.uppercased() }
        extra = wide.count
        self.yielding = yielding.map { $0.uppercased() }
    }

    mutating func add(_ cells: String?..., wide: String?...) {
        rows.append(
            (cells + wide).map { cell in
                let text = Terminal.clean(cell ?? "").split(whereSeparator: \.isNewline).joined(separator: " ")
                return text.isEmpty ? "-" : text
            })
    }

    /// With all columns, as wide as it wants to be.
    var wide: String { text([header] + rows) }

    /// The whole table as wide as it wants to be, without a line end after its last line.
    var text: String { text(width: nil) }

    /// In a terminal of `width` columns no line is longer, unless the first cell is: what names a thing for the next command is
    /// whole. First columns are left out that are empty or may yield, then the last one goes on below its row in
    /// lines of its own, then cells are cut.
    func text(width limit: Int?) -> String {
        let lines = ([header] + rows).map { Array($0.dropLast(extra)) }
        guard let limit, Self.width(of: lines) > limit else { return text(lines) }
        var (shown, hidden) = (lines, [String]())
        for name in emptyColumns + yielding where Self.width(of: shown) > limit {
            guard let column = shown[0].firstIndex(of: name), column > 0 else { continue }
            if !emptyColumns.contains(name) { hidden.append(name.lowercased()) }
            for row in shown.indices { shown[row].remove(at: column) }
        }
        let tail = hidden.isEmpty ? "" : "\n(without \(hidden.joined(separator: ", ")): -o wide shows all)"
        return fitted(shown, into: limit) + tail
    }

    private var emptyColumns: [String] {
        header.indices.dropFirst().filter { column in !rows.isEmpty && rows.allSatisfy { $0[column] == "-" } }
            .map { header[$0] }
    }

    private func fitted(_ lines: [[String]], into limit: Int) -> String {
        guard Self.width(of: lines) > limit, lines[0].count > 1 else { return text(lines) }
        let heads = lines.map { Array($0.dropLast()) }
        let room = limit - Self.width(of: heads) - 2
        if room >= Self.leastFlow { return flowing(lines, room) }
        guard Self.width(of: heads) <= limit else { return cut(lines, into: limit) }
        let name = lines[0][heads[0].count].lowercased()
        return zip(text(heads).split(separator: "\n"), lines).enumerated().map { row, pair in
            guard row > 0, let last = pair.1.last, last != "-" else { return String(pair.0) }
            let words = Self.wrapped("\(name): \(last)", into: limit - 4)
            return ([String(pair.0)] + words.map { "    " + $0 }).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// Beside its row, where there is so much room, the last column goes on below itself.
    private static let leastFlow = 24

    private func flowing(_ lines: [[String]], _ room: Int) -> String {
        let parts = lines.map { Self.wrapped($0[$0.count - 1], into: room) }
        let first = zip(lines, parts).map { line, parts in Array(line.dropLast()) + [parts[0]] }
        let widths = Self.widths(of: first)
        let indent = String(repeating: " ", count: widths.dropLast().reduce(0) { $0 + $1 + 2 })
        return zip(text(first).split(separator: "\n"), parts).map { head, parts in
            ([String(head)] + parts.dropFirst().map { indent + $0 }).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// The widest cells first, none to less than ten.
    private func cut(_ lines: [[String]], into limit: Int) -> String {
        var widths = Self.widths(of: lines)
        while widths.reduce(0, +) + 2 * (widths.count - 1) > limit {
            guard let widest = widths.indices.dropFirst().max(by: { widths[$0] < widths[$1] }), widths[widest] > 10
            else { break }
            widths[widest] -= 1
        }
        return text(
            lines.map { line in
                zip(line, widths).map { cell, width in cell.count > width ? cell.prefix(width - 1) + "…" : cell }
            })
    }

    private func text(_ lines: [[String]]) -> String {
        let widths = Self.widths(of: lines)
        return lines.map { line in
            let cells = zip(line, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count)
            }
            var text = Substring(cells.joined(separator: "  "))
            while text.last == " " { text.removeLast() }
            return String(text)
        }.joined(separator: "\n")
    }

    private static func widths(of lines: [[String]]) -> [Int] {
        lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    }

    private static func width(of lines: [[String]]) -> Int {
        let widths = widths(of: lines)
        return widths.reduce(0, +) + 2 * max(0, widths.count - 1)
    }

    /// Lines of at most `width` characters, broken at spaces where there are any.
    static func wrapped(_ text: String, into width: Int) -> [String] {
        var (lines, rest) = ([String](), Substring(text))
        while rest.count > width {
            let head = rest.prefix(width + 1)
            let end =
                head.lastIndex(of: " ").flatMap { $0 > head.startIndex ? $0 : nil }
                ?? rest.index(rest.startIndex, offsetBy: width)
            var line = rest[..<end]
            while line.last == " " { line.removeLast() }
            lines.append(String(line))
            rest = rest[end...].drop { $0 == " " }
        }
        return lines + (rest.isEmpty && !lines.isEmpty ? [] : [String(rest)])
    }
}
