/// A place in a text; both are counted from 1, columns in characters.
struct YAMLMark: Sendable, Hashable {
    var line = 1
    var column = 1

    mutating func pass(_ scalar: Unicode.Scalar) {
        if scalar == "\n" { (line, column) = (line + 1, 1) } else { column += 1 }
    }
}

/// Why a text is not taken, and where.
package struct YAMLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in characters.
    package let column: Int
    package let problem: String

    package var description: String { "line \(line), column \(column): \(problem)" }

    init(_ mark: YAMLMark, _ problem: String) {
        (line, column) = (mark.line, mark.column)
        self.problem = problem
    }
}
