import APIModels
import ArgumentParser
import Model
import WireProtocol

struct NodeOperations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operations", abstract: "What the drivers of a node can do.")
    @Argument(help: "Id or name.") var node: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))/operations"
        let offers = (try await Controller.connect().get(path) as Listing<OperationOffer>).items
        try common.output.list(offers) { offers in
            var table = Table("operation", "kind", "deadline", "allowed", "what it does")
            for offer in offers {
                table.add(
                    offer.name, offer.kind, "\(offer.deadlineSeconds) s",
                    offer.allowed ? "yes" : offer.guarded ? "no (the policy must name it)" : "no", offer.summary)
            }
            return table
        }
    }
}

/// One operation of a driver, run from here.
struct NodeRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run one operation of a driver on a node and wait for its end.",
        discussion: """
            Arguments are key=value. A value that is JSON counts as that (5, true, ["a","b"], "5" as text), all else as \
            text. Secrets come from files, or from standard input with @-, never from the command line.

            innctl node run web1 zfs.dataset.snapshot --resource zfs/tank/a dataset=tank/a snapshot=before
            """)
    @Argument(help: "Id or name.") var node: String
    @Argument(help: "The driver and the operation: zfs.dataset.list. See `innctl node operations`.") var operation:
        String
    @Argument(help: "key=value.") var arguments: [String] = []
    @Option(help: "What it works on, as the driver calls it: zfs/tank/a. The driver's name by default.")
    var resource: String?
    @Option(help: "key=@file, or key=@- for standard input; may be given again.") var secret: [String] = []
    @Option(help: "How long it may run: 90s, 10m, 2h. The operation's own by default.") var deadline: Span?
    @Flag(help: "Do not wait: print the operation's id.") var detach = false
    @Option(help: "The idempotency key to send; the same key and request twice is one command.")
    var idempotencyKey: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let order = CommandOrder(
            operation: operation, resource: resource, arguments: .object(try CommandArguments.read(arguments)),
            secrets: secret.isEmpty ? nil : .object(try CommandArguments.secrets(secret)),
            deadlineSeconds: deadline.map { Int64($0.seconds) }, follow: !detach)
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))/commands"
        let accepted: AcceptedOrder = try await controller.change("POST", path, order, key: idempotencyKey)
        if detach { return try common.output.show(accepted) { $0.operation.id } }
        var follow = Follow(controller, output: common.output, withLog: true, timeout: nil)
        let isTable = common.output == .table
        follow.onOutput = { piece in
            // Programs read one JSON document on standard output.
            Terminal.write(piece.bytes ?? [], isError: piece.stream == "stderr" || !isTable)
        }
        let ended = try await follow.end(of: accepted.operation.id)
        let whole: APIModels.Operation = try await controller.get("/api/v1/operations/\(ended.id)")
        try common.output.show(whole) { operation in
            operation.result.map { PrettyJSON.text($0) } ?? "operation \(operation.id) \(operation.state)"
        }
        if let failure = Failure(endOf: whole) { throw failure }
    }
}

/// `key=value` as arguments of an operation.
enum CommandArguments {
    static func read(_ texts: [String]) throws(Failure) -> JSONObject {
        var arguments: JSONObject = [:]
        for text in texts {
            let (key, value) = try split(text, "key=value")
            guard arguments[key] == nil else { throw Failure(.usage, "the argument \(key) is given twice") }
            arguments[key] = self.value(value)
        }
        return arguments
    }

    /// JSON where it is JSON, else text.
    static func value(_ text: String) -> JSONValue {
        (try? JSONParser.parse(Array(text.utf8), limits: .answer)) ?? .string(text)
    }

    static func secrets(_ texts: [String]) throws(Failure) -> JSONObject {
        var secrets: JSONObject = [:]
        for text in texts {
            let (key, source) = try split(text, "key=@file")
            guard source.hasPrefix("@"), source.count > 1 else {
                throw Failure(.usage, "--secret \(key) must come from a file: \(key)=@file, or \(key)=@-")
            }
            var value = try LocalFile.text(String(source.dropFirst()), what: "the secret \(key)")
            if value.hasSuffix("\n") { value.removeLast() }
            secrets[key] = self.secret(value)
        }
        return secrets
    }

    /// A file may hold a whole object of secrets, such as variables of an environment.
    private static func secret(_ text: String) -> JSONValue {
        if case .object(let object)? = try? JSONParser.parse(Array(text.utf8), limits: .answer) {
            return .object(object)
        }
        return .string(text)
    }

    private static func split(_ text: String, _ form: String) throws(Failure) -> (String, String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw Failure(.usage, "\"\(text.prefix(60))\" is not of the form \(form)")
        }
        return (parts[0], parts[1])
    }
}
