import ArgumentParser
import DaemonKit
import Glibc
import Logging
import Model

@main
enum Program {
    /// A command that is not there is named before anything else is read.
    static func main() async {
        let known = InnkeeperController.configuration.subcommands.map { $0._commandName }
        let word = CommandLine.arguments.dropFirst().first ?? "help"
        if !word.hasPrefix("-"), word != "help", !known.contains(word) {
            let guess = Near.guess(word, among: known)
            complain(
                "there is no command \"\(word.prefix(40))\"\(guess) There are: \(known.joined(separator: ", ")).")
            Glibc.exit(DaemonKit.ExitCode.usage)
        }
        await InnkeeperController.main(nil)
    }
}

/// The controller's command line.
struct InnkeeperController: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "innkeeper-controller",
        abstract: "Schedules, bills and watches the machines of a hosting provider.",
        version: "innkeeper-controller \(Version.current)",
        subcommands: [Initialise.self, Serve.self, Backup.self, Restore.self, Recover.self, RenewKey.self, Doctor.self])
}

/// Ends a command with one sentence on standard error.
func fail(_ message: String) -> any Error {
    complain(message)
    return ArgumentParser.ExitCode(DaemonKit.ExitCode.failure)
}

private func complain(_ message: String) {
    let line = Array("innkeeper-controller: \(message)\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

struct DataOption: ParsableArguments {
    @Option(name: .long, help: "The folder of the controller's state (made with mode 0700).")
    var data: String
}
