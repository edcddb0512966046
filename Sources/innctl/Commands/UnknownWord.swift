import ArgumentParser
import Model

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
        // `help` takes the words of a command like the command itself.
        for word in words.first == "help" ? words.dropFirst() : words[...] {
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
        let guess = Near.guess(word, among: known)
        return "there is no command \"\(word.prefix(40))\" of \(path)\(guess) "
            + "There are: \(known.joined(separator: ", "))."
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? command._commandName
    }

    private static func names(of command: any ParsableCommand.Type) -> [String] {
        [name(of: command)] + command.configuration.aliases
    }
}
