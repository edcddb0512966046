import APIModels
import ArgumentParser
import Model
import WireProtocol

struct OperationCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operation", abstract: "The work that was asked for.",
        subcommands: [
            OperationList.self, OperationShow.self, OperationLog.self, OperationWatch.self, OperationCancel.self,
            OperationResolve.self,
        ])
}

struct OperationList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Operations, newest first.", aliases: ["ls"])
    @Option(help: "Only those in this state.") var state: String?
    @Option(help: "Only those on this service.") var service: String?
    @OptionGroup var limit: LimitOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let operations: [Operation] = try await controller.all(
            "/api/v1/operations", query: Query([("state", state), ("service", service)]), limit: limit.count)
        let names =
            common.output.isForPeople
            ? await Names.of(
                services: operations.map(\.service), controller) : Names()
        try common.output.list(operations) { operations in
            var table = Table(
                "id", "kind", "state", "service", "node", "asked by", "age", "error", wide: "command", "service id",
                "node id",
                yielding: ["asked by", "node"])
            for operation in operations {
                table.add(
                    operation.id, operation.kind, operation.state,
                    names.service(operation.service), operation.nodeName ?? operation.node,
                    operation.requestedByName ?? operation.requestedBy, Readable.age(operation.createdAt),
                    operation.error?.message,
                    wide: operation.command?.name, operation.service, operation.node)
            }
            return table
        }
    }
}

struct OperationShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One operation and its steps.")
    @Argument(help: "The operation's id.") var id: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = "/api/v1/operations/\(PercentEncoding.encode(id))"
        let controller = try Controller.connect()
        let operation: Operation = try await controller.get(path)
        let names =
            common.output.isForPeople
            ? await Names.of(services: [operation.service], controller) : Names()
        try common.output.show(operation) { OperationCard.text($0, names) }
    }
}

/// One operation for people.
enum OperationCard {
    static func text(_ operation: Operation) -> String { text(operation, Names()) }

    static func text(_ operation: Operation, _ names: Names) -> String {
        var card = Card()
        card.add("id", operation.id)
        card.add("kind", operation.kind)
        card.add(
            "state",
            operation.cancelRequested && !operation.isFinished
                ? operation.state + " (cancel asked for)" : operation.state)
        card.add("command", operation.command.map { "\($0.name) on \($0.resource)" })
        card.add("service", Readable.node(operation.service, names.knownService(operation.service)))
        card.add("node", Readable.node(operation.node, operation.nodeName))
        card.add("asked by", operation.requestedByName ?? operation.requestedBy)
        card.add("reason", operation.reason)
        card.add("created", operation.createdAt.iso8601)
        card.add("started", operation.startedAt?.iso8601)
        card.add("finished", operation.finishedAt?.iso8601)
        card.add("resolved by", operation.result?["resolution"]?["by"]?.asString)
        card.add("note", operation.result?["resolution"]?["note"]?.asString)
        let mayBeRepeated = operation.state == "failed"
        card.add(
            "error",
            operation.error.map { "\($0.message)\(mayBeRepeated && $0.retryable ? " (may succeed later)" : "")" })
        if operation.state == "needs_attention" {
            for leftover in operation.result?["leftovers"]?.asArray ?? [] {
                card.add(
                    "left over", "\(leftover["step"]?.asString ?? "-"): \(leftover["reason"]?.asString ?? "-")")
            }
            card.add(
                "what to do",
                "see to what is left, then innctl operation resolve \(operation.id) --note TEXT, or repeat the request")
        }
        let tables = [operation.steps.map(steps), operation.placement.map { PlacementTable.of($0) }]
        return ([card.text] + tables.compactMap { $0?.text(width: Terminal.width) }).joined(separator: "\n\n")
    }

    private static func steps(_ steps: [OperationStep]) -> Table {
        var table = Table("", "step", "state", "attempts", "took", "error")
        for step in steps {
            table.add(
                "\(step.position)/\(step.total)", step.auxiliary ? step.name + " (auxiliary)" : step.name, step.state,
                String(step.attempts), StepLine.took(step), step.error?.message)
        }
        return table
    }
}

struct OperationLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "log", abstract: "What an operation has to tell.")
    @Argument(help: "The operation's id.") var id: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = "/api/v1/operations/\(PercentEncoding.encode(id))/log"
        let lines: [LogLine] = try await Controller.connect().all(path)
        switch common.output {
        case .json, .yaml: try common.output.list(lines) { _ in Table() }
        case .table, .wide, .name: for line in lines { Terminal.say(StepLine.log(line)) }
        }
    }
}

struct OperationWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow an operation to its end; the exit code tells how it ended.")
    @Argument(help: "The operation's id.") var id: String
    @Option(help: "Give up after 90s, 10m, 2h (exit code 9); the operation goes on.") var timeout: Patience?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let follow = Follow(controller, output: common.output, withLog: true, timeout: timeout)
        let operation = try await follow.end(of: id)
        if !common.output.isForPeople { try common.output.show(operation, OperationCard.text) }
        if let failure = Failure(endOf: operation) { throw failure }
    }
}

struct OperationCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Ask an operation to stop; what it did is undone.")
    @Argument(help: "The operation's id.") var id: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = "/api/v1/operations/\(PercentEncoding.encode(id))/cancel"
        let operation: Operation = try await Controller.connect().change("POST", path)
        try common.output.show(operation, OperationCard.text)
    }
}

struct OperationResolve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Say how you have seen to what an operation that needs attention has left.",
        discussion: "The service itself is brought in order by its own commands: repair, retry, terminate.")
    @Argument(help: "The operation's id.") var id: String
    @Option(help: "What was done, for the audit log.") var note: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = "/api/v1/operations/\(PercentEncoding.encode(id))/resolve"
        let operation: Operation = try await Controller.connect().change("POST", path, OperationResolution(note: note))
        try common.output.show(operation, OperationCard.text)
    }
}
