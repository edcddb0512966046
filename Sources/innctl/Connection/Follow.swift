import APIModels
import HTTPFetch
import WireProtocol

/// Follows an operation over server-sent events, through lost connections, to its end.
struct Follow: Sendable {
    private let controller: Controller
    private let output: OutputFormat
    private let isWanted: Bool
    private let withLog: Bool
    private let timeout: Duration?
    /// Takes what a command says; nil drops it. What it throws ends the following.
    var onOutput: (@Sendable (OutputPiece) throws(Failure) -> Void)?
    /// Steps and states are not told.
    var isQuiet = false
    /// Whether it ends without a word about the operation when it is interrupted: whoever follows speaks for itself.
    private let isSilentAtSignals: Bool
    /// Attempts in a row without an answer before it gives up, about five minutes.
    private static let patience = 60

    /// - Parameter isSilentAtSignals: somebody else sees to the signals that end the program.
    init(
        _ controller: Controller, output: OutputFormat, withLog: Bool, timeout: Patience?,
        isSilentAtSignals: Bool = false
    ) {
        self.controller = controller
        self.output = output
        self.withLog = withLog
        self.timeout = timeout?.duration
        self.isSilentAtSignals = isSilentAtSignals
        isQuiet = output == .name
        isWanted = true
    }

    init(_ controller: Controller, _ options: WaitOptions, _ output: OutputFormat) {
        self.controller = controller
        self.output = output
        withLog = options.watch
        timeout = options.timeout?.duration
        isSilentAtSignals = false
        isQuiet = output == .name
        isWanted = options.wait || options.watch
    }

    /// Shows what was accepted; waits for its end when that was asked for. Throws when it did not end well.
    /// - Parameter namesService: what the next command of a pipe wants is the service, not the operation.
    func finish(_ accepted: APIModels.AcceptedOperation, namesService: Bool = false) async throws {
        func show(_ accepted: APIModels.AcceptedOperation, _ text: (APIModels.AcceptedOperation) -> String) throws {
            guard output == .name, namesService, let service = accepted.service else {
                return try output.show(accepted, text)
            }
            Terminal.say(Terminal.clean(service.id))
        }
        if accepted.operation.isFinished {
            try tellRepetition(accepted)
            return try show(accepted) { accepted in
                accepted.service.map { "service \($0.id)" } ?? "operation \(accepted.operation.id)"
            }
        }
        guard isWanted else {
            return try show(accepted) { accepted in
                (accepted.service.map { "service \($0.id)\n" } ?? "") + "operation \(accepted.operation.id)"
            }
        }
        if !isQuiet, let service = accepted.service { Terminal.note("service \(Readable.service(service))") }
        let operation = try await end(of: accepted.operation.id, tellsEnd: accepted.service != nil)
        let service: Service? = try await operation.service.asyncMap { id in
            try await controller.get("/api/v1/services/\(PercentEncoding.encode(id))")
        }
        try show(APIModels.AcceptedOperation(operation: operation, service: service)) { _ in
            service.map { Terminal.clean("service \(Readable.service($0)) is \($0.state)") }
                ?? "operation \(operation.id) \(operation.state)"
        }
        if let failure = Failure(endOf: operation) { throw failure }
    }

    /// Of a request whose work was done before it: nothing was begun, and the old operation is no news.
    private func tellRepetition(_ accepted: APIModels.AcceptedOperation) throws(Failure) {
        let operation = accepted.operation
        if let failure = Failure(endOf: operation), accepted.service.map({ $0.state == "failed" }) ?? true {
            throw failure
        }
        let thing =
            accepted.service.map { "service \(Readable.service($0)) is \($0.state) already" }
            ?? "operation \(operation.id) has \(operation.state) already"
        if !isQuiet { Terminal.note(Terminal.clean("\(thing); nothing was done")) }
    }

    /// The operation once it has ended; its steps are told on standard error meanwhile.
    /// - Parameter tellsEnd: whether a good end is told there as well.
    func end(of id: String, tellsEnd: Bool = true) async throws -> Operation {
        if !isSilentAtSignals { Farewell.arm(operation: id) }
        defer { if !isSilentAtSignals { Farewell.disarm() } }
        guard let timeout else { return try await followed(id, tellsEnd) }
        return try await withThrowingTaskGroup { group in
            group.addTask { try await followed(id, tellsEnd) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw Failure(
                    .overdue, "operation \(id) has not ended yet; follow it with `innctl operation watch \(id)`")
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }

    /// How far the following has come.
    private struct Place {
        var lastEvent: String?
        /// Attempts in a row without an answer.
        var silence = 0
        var progress = Progress()
    }

    private func followed(_ id: String, _ tellsEnd: Bool) async throws -> Operation {
        var place = Place()
        place.progress.tellsEnd = tellsEnd
        while true {
            if let operation = try await attempt(id, &place) { return operation }
            place.silence += 1
            try await Task.sleep(for: .milliseconds(min(5000, 250 * place.silence)))
        }
    }

    /// As `read`, but a controller that cannot be reached for a while is waited for.
    private func attempt(_ id: String, _ place: inout Place) async throws -> Operation? {
        do {
            return try await read(id, &place)
        } catch {
            try Task.checkCancellation()
            guard error.code == .unreachable, place.silence < Self.patience else { throw error }
            if place.silence == 0 { Terminal.note("  … \(error.message); trying again") }
            return nil
        }
    }

    /// One connection: nil when it ended before the operation did.
    private func read(_ id: String, _ place: inout Place) async throws(Failure) -> Operation? {
        let path = "/api/v1/operations/\(PercentEncoding.encode(id))/events"
        let stream = try await controller.events(path, after: place.lastEvent)
        var reader = EventReader()
        do {
            for try await chunk in stream {
                for event in try reader.read(chunk) {
                    place.silence = 0
                    place.lastEvent = event.id ?? place.lastEvent
                    if let operation = try tell(event, &place.progress), operation.isFinished { return operation }
                }
            }
        } catch let error as HTTPError {
            throw Failure(error)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.failed, "\(error)")
        }
        return nil
    }

    private func tell(_ event: ServerEvent, _ progress: inout Progress) throws(Failure) -> Operation? {
        do {
            let json = try JSONParser.parse(Array(event.data.utf8), limits: .answer)
            switch event.name {
            case "output": try onOutput?(try BodyDecoder.model(OutputPiece.self, from: json))
            case "step" where isQuiet: break
            case "step": note(progress.lines(of: try BodyDecoder.model(OperationStep.self, from: json)))
            case "log" where withLog:
                Terminal.note("    " + StepLine.log(try BodyDecoder.model(LogLine.self, from: json)))
            case "operation":
                let operation = try BodyDecoder.model(Operation.self, from: json)
                if !isQuiet { note(progress.lines(of: operation)) }
                return operation
            default: break
            }
            return nil
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.failed, "the controller sent an event that cannot be read: \(error)")
        }
    }
}

extension Follow {
    private func note(_ lines: [String]) {
        for line in lines { Terminal.note(line) }
    }
}

extension Optional {
    /// As `map`, for work that waits.
    func asyncMap<Result>(_ transform: (Wrapped) async throws -> Result) async rethrows -> Result? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
