/// The command line of the agent, read by hand: a parser library would weigh more than the agent does.
enum Invocation: Equatable {
    case enrol(controller: String, token: String, data: String)
    case run(data: String, config: String?)
    case doctor(data: String, config: String?)
    case help
    case version

    static let usage = """
        innkeeper-agent enrol --controller HOST:PORT --token TOKEN --data DIR
            makes this machine a node of the controller; run again, it changes nothing
            (--token - reads the token from standard input, so that it shows in no process list)
        innkeeper-agent run --data DIR [--config FILE]
            works for the controller until it is asked to end
        innkeeper-agent doctor [--data DIR] [--config FILE]
            says what it finds on this machine, what is wrong and what to do; exit code 1 when something is wrong
            (without options: \(Doctor.usualData) and \(Doctor.usualConfiguration))
        innkeeper-agent --help | --version
        """

    /// - Parameter arguments: without the program's name.
    init(_ arguments: [String]) throws(UsageError) {
        guard let first = arguments.first else { throw UsageError("say what to do: enrol, run or doctor; see --help") }
        let rest = arguments.dropFirst()
        if rest.contains("--help") || rest.contains("-h") {
            self = .help
            return
        }
        switch first {
        case "enrol":
            var options = try Options(rest, known: ["--controller", "--token", "--data"], of: first)
            self = .enrol(
                controller: try options.take("--controller"), token: try options.take("--token"),
                data: try options.take("--data"))
        case "run":
            var options = try Options(rest, known: ["--data", "--config"], of: first)
            self = .run(data: try options.take("--data"), config: options.values["--config"])
        case "doctor":
            let options = try Options(rest, known: ["--data", "--config"], of: first)
            self = .doctor(data: options.values["--data"] ?? Doctor.usualData, config: options.values["--config"])
        case "--help", "-h", "help": self = .help
        case "--version": self = .version
        default: throw UsageError("\(first) is not known: say enrol, run or doctor; see --help")
        }
    }

    private struct Options {
        var values: [String: String] = [:]
        private let order: String

        init(_ arguments: ArraySlice<String>, known: [String], of order: String) throws(UsageError) {
            self.order = order
            var rest = arguments
            while let argument = rest.popFirst() {
                let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                    String.init)
                guard known.contains(parts[0]) else {
                    throw UsageError("\(parts[0]) is not an option of \(order); see --help")
                }
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty else {
                    throw UsageError("\(parts[0]) needs a value")
                }
                guard values.updateValue(value, forKey: parts[0]) == nil else {
                    throw UsageError("\(parts[0]) is given twice")
                }
            }
        }

        mutating func take(_ name: String) throws(UsageError) -> String {
            guard let value = values.removeValue(forKey: name) else { throw UsageError("\(order) needs \(name)") }
            return value
        }
    }
}

/// A command line that cannot be followed, in one sentence.
struct UsageError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
