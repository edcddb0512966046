import ArgumentParser
import DaemonKit
import Glibc
import Logging
import Model

/// The controller's command line.
@main
struct InnkeeperController: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "innkeeper-controller",
        abstract: "Schedules, bills and watches the machines of a hosting provider.",
        version: Version.current,
        subcommands: [Initialise.self, Serve.self, Backup.self, Restore.self, Recover.self, RenewKey.self, Doctor.self])
}

/// Ends a command with one sentence on standard error.
func fail(_ message: String) -> any Error {
    let line = Array("innkeeper-controller: \(message)\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    return ArgumentParser.ExitCode(DaemonKit.ExitCode.failure)
}

struct DataOption: ParsableArguments {
    @Option(name: .long, help: "The folder of the controller's state (made with mode 0700).")
    var data: String
}
