import APIModels
import ArgumentParser
import Glibc
import Model
import WireProtocol

/// One action of a driver, run from here.
struct NodeRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run one action of a driver on a node and wait for its end.",
        discussion: """
            Arguments are key=value. A value that is JSON counts as that (["a","b"], {"a":1}, "5" as text); numbers, true and \
            false are what the argument wants them to be, so mode=644 is octal. Secrets come from files, or from standard \
            input with @-, never from the command line. What the operation works on follows from its arguments, and these \
            from --resource, where `innctl node actions` says how.

            innctl node run web1 zfs.dataset.snapshot dataset=tank/a snapshot=before
            innctl node run pve1 proxmox.container.push vmid=101 path=/etc/motd mode=644 <motd
            innctl node run pve1 proxmox.container.pull vmid=101 path=/etc/motd >motd

            An action that takes bytes reads standard input to its end. One that gives bytes has standard output for them \
            alone; what it answers beside them goes to standard error. Either is called off when this program ends before it.
            """)
    @Argument(help: "Id or name.") var node: String
    @Argument(help: "The driver and the action: zfs.dataset.list. See `innctl node actions`.") var operation: String
    @Argument(help: "key=value.") var arguments: [String] = []
    @Option(help: "What it works on, as the driver calls it: zfs/tank/a. By default as its arguments say.")
    var resource: String?
    @Option(help: "key=@file, or key=@- for standard input; may be given again.") var secret: [String] = []
    @Option(help: "How long it may run: 90s, 10m, 2h. The operation's own by default.") var deadline: Span?
    @Flag(help: "Do not wait: print the operation's id.") var detach = false
    /// Nothing but what it gives, for commands that stand for one of its uses.
    @Flag(help: .hidden) var bare = false
    @Option(help: "The idempotency key to send; the same key and request twice is one command.")
    var idempotencyKey: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let offer = try await controller.offer(operation, on: node)
        let given = try CommandArguments.read(arguments, asWords: offer?.input != nil)
        let takesInput = offer?.takesInput(given) ?? false
        let streams = !detach && (takesInput || offer?.output ?? false)
        if takesInput {
            if detach { throw Failure(.usage, "\(operation) reads standard input: it cannot be detached") }
            if secret.contains(where: { $0.hasSuffix("=@-") }) {
                throw Failure(.usage, "standard input is the content of \(operation): give the secret in a file")
            }
            if isatty(STDIN_FILENO) == 1 { Terminal.note("reading standard input; end it with Ctrl-D") }
        }
        let order = CommandBody(
            operation: operation, resource: resource, arguments: .object(given),
            secrets: secret.isEmpty ? nil : .object(try CommandArguments.secrets(secret)),
            deadlineSeconds: deadline.map { Int64($0.seconds) }, follow: !detach, attended: streams ? true : nil)
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))/commands"
        let accepted: AcceptedOperation = try await controller.change("POST", path, order, key: idempotencyKey)
        if detach { return try common.output.show(accepted) { $0.operation.id } }
        // Programs read one JSON document on standard output.
        let sink = OutputSink(isWhole: streams, intoError: common.output == .json)
        let id = accepted.operation.id
        let ended = try await streams ? conversed(controller, id, takesInput, sink) : followed(controller, id, sink)
        let whole: APIModels.Operation = try await controller.get("/api/v1/operations/\(ended)")
        if !bare { try show(whole, aside: common.output.isForPeople && (sink.isUsed || offer?.output ?? false)) }
        if let failure = Failure(endOf: whole) { throw failure }
        try sink.checkEnd(all: whole.outputBytes)
    }

    private func followed(
        _ controller: Controller, _ id: String, _ sink: OutputSink
    ) async throws -> String {
        var follow = Follow(
            controller, output: common.output, withLog: !bare, timeout: nil, isSilentAtSignals: bare)
        if bare { follow.isQuiet = true }
        follow.onOutput = { piece throws(Failure) in try sink.take(piece) }
        return try await follow.end(of: id).id
    }

    /// Its bytes go through here: what ends this program ends it, too.
    private func conversed(
        _ controller: Controller, _ id: String, _ takesInput: Bool, _ sink: OutputSink
    ) async throws -> String {
        let conversation = Conversation(
            controller, operation: id, sendsInput: takesInput, into: sink, isQuiet: bare)
        let ended = await conversation.end(ByteSource(Departure.arm()))
        Departure.restore()
        if let signal = conversation.stoppedBy { Glibc.exit(128 + signal) }
        return try ended.get().id
    }

    /// - Parameter aside: standard output is for the operation's bytes alone.
    private func show(_ operation: APIModels.Operation, aside: Bool) throws {
        let text = operation.result.map { PrettyJSON.text($0) } ?? "operation \(operation.id) \(operation.state)"
        if aside { return Terminal.note(Terminal.clean(text)) }
        try common.output.show(operation) { _ in text }
    }
}

extension ActionOffer {
    /// Whether it reads what is sent to it.
    fileprivate func takesInput(_ arguments: JSONObject) -> Bool {
        switch input {
        case "always": true
        case "asked": arguments["stdin"]?.asBool ?? (arguments["stdin"]?.asString == "true")
        default: false
        }
    }
}

extension Controller {
    /// What the node says of one of its actions; nil where it does not know it, which is for the controller to judge.
    fileprivate func offer(_ operation: String, on node: String) async throws(Failure) -> ActionOffer? {
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))/actions"
        let listing: Listing<ActionOffer>
        do throws(Failure) { listing = try await get(path) } catch {
            // A key that may run it need not be one that may read.
            guard error.code == .access || error.code == .notFound else { throw error }
            return nil
        }
        if let found = listing.items.first(where: { $0.name == operation }) { return found }
        guard let near = Near.word(to: operation, among: listing.items.map(\.name)) else { return nil }
        throw Failure(.failed, "\(operation) is nothing that a driver of \(node) can do; did you mean \(near)?")
    }
}

/// `key=value` as arguments of an action.
enum CommandArguments {
    /// - Parameter asWords: the node reads numbers, true and false out of words where its argument is one of them.
    static func read(_ texts: [String], asWords: Bool) throws(Failure) -> JSONObject {
        var arguments: JSONObject = [:]
        for text in texts {
            let (key, value) = try split(text, "key=value")
            guard arguments[key] == nil else { throw Failure(.usage, "the argument \(key) is given twice") }
            arguments[key] = self.value(value, asWord: asWords)
        }
        return arguments
    }

    /// JSON where it is JSON, else text.
    static func value(_ text: String, asWord: Bool) -> JSONValue {
        guard let value = try? JSONParser.parse(Array(text.utf8), limits: .answer) else { return .string(text) }
        return asWord && (value.asNumber != nil || value.asBool != nil) ? .string(text) : value
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
