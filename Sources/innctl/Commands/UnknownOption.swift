import ArgumentParser
import Model
import WireProtocol

/// An option that its command does not have. It is looked for where a command line cannot be read, since the parser tells of
/// what is missing first, which is often the same mistake.
struct UnknownOption {
    let message: String

    /// Nil when every option is one of the command's.
    init?(in words: [String], of root: any ParsableCommand.Type = Innctl.self) {
        var (command, path, rest) = (root, root.configuration.commandName ?? root._commandName, words[...])
        while let word = rest.first,
            let next = command.configuration.subcommands.first(where: { $0.answers(to: word) })
        {
            (command, path, rest) = (
                next, "\(path) \(next.configuration.commandName ?? next._commandName)", rest.dropFirst()
            )
        }
        guard command.configuration.subcommands.isEmpty, let known = command.longOptions else { return nil }
        for word in rest.prefix(while: { $0 != "--" }) where word.hasPrefix("--") {
            let name = String(word.dropFirst(2).prefix { $0 != "=" })
            guard !known.contains(name) else { continue }
            let guess = Near.word(to: name, among: known).map { "; did you mean --\($0)?" } ?? "."
            message = "there is no option --\(name.prefix(40)) of \(path)\(guess) See \(path) --help."
            return
        }
        return nil
    }
}

extension ParsableCommand {
    fileprivate static func answers(to word: String) -> Bool {
        (configuration.commandName ?? _commandName) == word || configuration.aliases.contains(word)
    }

    /// The long names of all its options, as the parser's own description of the command has them; nil where that cannot be
    /// read.
    fileprivate static var longOptions: Set<String>? {
        let limits = JSONLimits(bytes: 8 << 20, values: 2_000_000)
        guard let dump = try? JSONParser.parse(Array(_dumpHelp().utf8), limits: limits),
            let arguments = dump["command"]?["arguments"]?.asArray
        else { return nil }
        let names = arguments.flatMap { $0["names"]?.asArray ?? [] }
        let long = names.filter { $0["kind"]?.asString == "long" }.compactMap { $0["name"]?.asString }
        return Set(long).union(["help", "version", "generate-completion-script", "experimental-dump-help"])
    }
}
