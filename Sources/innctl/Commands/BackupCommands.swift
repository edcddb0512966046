import APIModels
import ArgumentParser
import Model

struct BackupCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Backups of services.",
        subcommands: [
            BackupList.self, BackupCreate.self, BackupShow.self, BackupRemove.self, BackupRestore.self,
        ])

    static func path(_ backup: String) -> String { "/api/v1/backups/\(PercentEncoding.encode(backup))" }
}

struct BackupList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "A service's backups, the oldest first.", aliases: ["ls"])
    @Argument(help: "Id or external id of the service.") var service: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = "/api/v1/services/\(PercentEncoding.encode(service))/backups"
        let listing: Listing<BackupView> = try await Controller.connect().get(path)
        try common.output.list(listing.items) { backups in
            var table = Table("id", "state", "size", "age", "verified", "cause", wide: "node", "name")
            for backup in backups {
                table.add(
                    backup.id, backup.state, backup.sizeBytes.flatMap { ByteCount($0) }.map { "\($0)" },
                    Readable.age(backup.madeAt),
                    Readable.age(backup.verifiedAt), backup.cause, wide: backup.nodeName ?? backup.node, backup.name)
            }
            return table
        }
    }
}

struct BackupCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Back a service up; the oldest beyond its plan's retention go.")
    @Argument(help: "Id or external id of the service.") var service: String
    @OptionGroup var why: ReasonOption
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let accepted: AcceptedOperation = try await controller.change(
            "POST", "/api/v1/services/\(PercentEncoding.encode(service))/backups", why.request,
            key: waiting.idempotencyKey)
        try await Follow(controller, waiting, common.output).finish(accepted)
    }
}

struct BackupShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One backup.")
    @Argument(help: "The backup's id.") var backup: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found: BackupView = try await Controller.connect().get(BackupCommands.path(backup))
        try common.output.show(found) { backup in
            var card = Card()
            card.add("id", backup.id)
            card.add("service", backup.service)
            card.add("state", backup.state)
            card.add("cause", backup.cause)
            card.add("made", backup.madeAt.iso8601)
            card.add("size", backup.sizeBytes.flatMap { ByteCount($0) }.map { "\($0)" })
            card.add("verified", backup.verifiedAt?.iso8601)
            card.add("node", Readable.node(backup.node, backup.nodeName))
            card.add("name", backup.name)
            return card.text
        }
    }
}

struct BackupRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a backup from its storage. There is no way back.", aliases: ["rm"])
    @Argument(help: "The backup's id.") var backup: String
    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try confirmation.ask("Backup \(backup) will be removed. There is no way back.")
        let controller = try Controller.connect()
        let accepted: AcceptedOperation = try await controller.change(
            "DELETE", BackupCommands.path(backup), why.request, key: waiting.idempotencyKey)
        try await Follow(controller, waiting, common.output).finish(accepted)
    }
}

struct BackupRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Take a service back to a backup; with --into-new, make another service of it.",
        discussion: "In place, what came since the backup is lost.")
    @Argument(help: "The backup's id.") var backup: String
    @Flag(help: "Make another service; the one that the backup is of stays as it is.") var intoNew = false
    @Option(help: "The billing system's name for the new service, unique.") var externalID: String?
    @Option(help: "The new service's plan; that of the old one by default.") var plan: String?
    @Option(help: "Whose the new service is; the old one's customer by default.") var customer: String?
    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard intoNew || (externalID ?? plan ?? customer) == nil else {
            throw ValidationError("--external-id, --plan and --customer are of a new service: give --into-new")
        }
    }

    func run() async throws {
        if !intoNew { try confirmation.ask("The service goes back to backup \(backup); what came since is lost.") }
        let controller = try Controller.connect()
        let target = intoNew ? RestoreTarget(externalID: externalID, plan: plan, customer: customer) : nil
        let accepted: AcceptedOperation = try await controller.change(
            "POST", BackupCommands.path(backup) + "/restore", RestoreBody(into: target, reason: why.reason),
            key: waiting.idempotencyKey)
        try await Follow(controller, waiting, common.output).finish(accepted, namesService: intoNew)
    }
}
