import ArgumentParser
import Glibc
import Model

/// The operator's command line.
@main
struct Innctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "innctl",
        abstract: "Look after the nodes and services of an Innkeeper controller.",
        discussion: """
            The controller and the key come from INNKEEPER_URL, INNKEEPER_KEY and INNKEEPER_CA (a PEM file), or from \
            what `innctl login` stored.

            Exit codes: 0 done, 1 refused or the operation failed, 2 wrong usage, 3 not found, 4 the key is missing or \
            may not do this, 5 conflict, 6 the controller cannot be reached or cannot answer, 7 the operation needs \
            attention, 8 the operation was cancelled, 9 the time to wait is over.
            """,
        version: "innctl \(Version.current)",
        subcommands: [
            LoginCommand.self, NodeCommands.self, TokenCommands.self, PlanCommands.self, ServiceCommands.self,
            DomainCommands.self, BackupCommands.self,
            NetworkCommands.self, AllocationCommands.self, IntegrationCommands.self,
            QueueCommands.self, WebhookCommands.self,
            OperationCommands.self, FindingCommands.self, ExecCommand.self, TransferCommand.self, MetricsCommands.self,
            KeyCommands.self,
            AuditCommand.self,
            EventsCommand.self,
        ])

    /// Runs the command line. Errors are one sentence on standard error; the exit code tells scripts the rest.
    static func main() async {
        // A closed pipe (`innctl … | head`) must end the program quietly, not with a report.
        signal(SIGPIPE, SIG_DFL)
        if let unknown = UnknownWord(in: Array(CommandLine.arguments.dropFirst())) {
            Terminal.complain(unknown.message)
            Glibc.exit(FailureCode.usage.rawValue)
        }
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Terminal.complain(failure.message)
            Glibc.exit(failure.code.rawValue)
        } catch  where exitCode(for: error) == .validationFailure {
            if let unknown = UnknownOption(in: Array(CommandLine.arguments.dropFirst())) {
                Terminal.complain(unknown.message)
                Glibc.exit(FailureCode.usage.rawValue)
            }
            Terminal.complain(fullMessage(for: error), prefix: "")
            Glibc.exit(FailureCode.usage.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}
