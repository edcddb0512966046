@testable import WireProtocol

/// Lines of the link. What a peer sends decodes, or is refused with a reason that can be sent back; what was decoded
/// encodes to a line that decodes to the same and encodes to itself.
enum Wire {
    static let targets = [
        FuzzTarget("agent-line", longest: 16_384) { input in
            guard let message: AgentMessage = try stable(input) else { return }
            switch message {
            case .result(let result): try fits(result)
            case .inventory(let inventory): try falls(inventory)
            case .series(let series): try names(series)
            default: break
            }
            try readsMetricsAlike(input)
        },
        FuzzTarget("controller-line", longest: 16_384) { input in
            guard let message: ControllerMessage = try stable(input) else { return }
            if case .command(let command) = message { try identity(command) }
        },
    ]

    private static func stable<Line: WireLine>(_ input: UnsafeRawBufferPointer) throws -> Line? {
        let first: Line
        do throws(WireError) { first = try Line(decoding: input) } catch {
            try answerable(error)
            return nil
        }
        let line = first.line()
        try require(line.dropLast().allSatisfy { $0 >= 0x20 }, "a control character in a line")
        let second = try decoded(Line.self, line.dropLast())
        try require(second == first, "decodes to another message after encoding")
        try require(second.hashValue == first.hashValue, "equal messages hash apart")
        try require(second.line() == line, "encodes to another line the second time")
        return first
    }

    private static func decoded<Line: WireLine>(_ type: Line.Type, _ line: some Collection<UInt8>) throws -> Line {
        do { return try Line(decoding: line) } catch { throw Violation(description: "refuses its own line: \(error)") }
    }

    /// The refusal names its field and can be said to the peer.
    private static func answerable(_ error: WireError) throws {
        let goodbye = Goodbye(answering: error)
        let answer = AgentMessage.goodbye(goodbye).line()
        try require(answer.count <= 65_536, "an answer of \(answer.count) bytes")
        guard case .goodbye(let said) = try decoded(AgentMessage.self, answer.dropLast()) else {
            throw Violation(description: "the answer is no goodbye")
        }
        try require(said == goodbye && !error.code.isEmpty, "the answer changes on its way")
        if case .field(_, let field) = error { try require(!field.path.isEmpty, "the error names no field") }
    }

    /// The short way for metrics takes nothing that the ordinary one does not, and takes it alike.
    private static func readsMetricsAlike(_ input: UnsafeRawBufferPointer) throws {
        guard let quick = Metrics(scanning: input) else { return }
        let slow = try JSONParser.parse(input).asObject.map { object in try Metrics(reading: object) }
        try require(slow == quick, "the two ways of reading metrics differ")
        try require(
            slow?.values.map { $0?.bitPattern } == quick.values.map { $0?.bitPattern },
            "the two ways of reading metrics differ in bits")
    }

    private static func fits(_ result: CommandResult) throws {
        let fitting = result.fitting
        try require(fitting == result, "a result that came on a line does not fit one")
    }

    /// The pieces of an inventory name what the whole does.
    private static func falls(_ inventory: Inventory) throws {
        guard inventory.generation < .max - 100_000 else { return }
        let pieces = inventory.pieces(bytes: 256)
        for piece in pieces {
            _ = try decoded(AgentMessage.self, AgentMessage.inventory(piece).line().dropLast())
        }
        try require(
            pieces.flatMap { $0.items.map(\.resource) } == inventory.items.map(\.resource), "pieces lose an item")
        try require(pieces.dropFirst().allSatisfy { !$0.full && $0.removed.isEmpty }, "a later piece is no delta")
    }

    private static func names(_ series: SeriesDefinition) throws {
        let own = SeriesDefinition(names: series.names)
        try require(own.set.utf8.count == 16 && own.set.utf8.allSatisfy(isLowerHexadecimal), "a set of another form")
        let line = AgentMessage.series(own).line()
        try require(try decoded(AgentMessage.self, line.dropLast()) == .series(own), "a series changes on its way")
    }

    /// The receipt's digest does not depend on the order of arguments, and what is printed holds no secret.
    private static func identity(_ command: Command) throws {
        var turned = command
        turned.arguments = JSONObject(command.arguments.members.reversed().map { ($0.key, $0.value) })
        turned.secrets = command.secrets.map { JSONObject($0.members.reversed().map { ($0.key, $0.value) }) }
        try require(
            command.identity(secretsDigest: "x") == turned.identity(secretsDigest: "x"), "the order of arguments counts"
        )
        try require(command.sortedSecrets == turned.sortedSecrets, "the order of secrets counts")
        try require(Mirror(reflecting: command).children.count == 5, "the mirror shows more than it should")
    }
}
