import ArgumentParser

/// A word of the command line where the name of a command should stand.
struct UnknownWord {
    /// The commands before it: `innctl node`.
    let path: String
    let word: String
    /// The commands that there are.
    let known: [String]

    /// Nil when every word in the place of a command is one.
    init?(in words: [String], of root: any ParsableCommand.Type = Innctl.self) {
        var (group, path) = (root, Self.name(of: root))
        for word in words {
            let children = group.configuration.subcommands
            if children.isEmpty || word.hasPrefix("-") || word == "help" { return nil }
            guard let next = children.first(where: { Self.names(of: $0).contains(word) }) else {
                self.path = path
                self.word = word
                known = children.map(Self.name)
                return
            }
            (group, path) = (next, "\(path) \(Self.name(of: next))")
        }
        return nil
    }

    var message: String {
        let near = known.map { (name: $0, distance: Self.distance(word, $0)) }.min { $0.distance < $1.distance }
        let guess = near.flatMap { $0.distance <= max(1, word.count / 3) ? "; did you mean \"\($0.name)\"?" : nil }
        return "there is no command \"\(word.prefix(40))\" of \(path)\(guess ?? ".") "
            + "There are: \(known.joined(separator: ", "))."
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? command._commandName
    }

    private static func names(of command: any ParsableCommand.Type) -> [String] {
        [name(of: command)] + command.configuration.aliases
    }

    /// Letters to change, add, leave out or exchange with their neighbour until one word is the other.
    static func distance(_ one: String, _ other: String) -> Int {
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
