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
    /// Attempts in a row without an answer before it gives up, about five minutes.
    private static let patience = 60

    init(_ controller: Controller, output: OutputFormat, withLog: Bool, timeout: Int?) {
        self.controller = controller
        self.output = output
        self.withLog = withLog
        self.timeout = timeout.map { .seconds($0) }
        isWanted = true
    }

    init(_ controller: Controller, _ options: WaitOptions, _ output: OutputFormat) {
        self.controller = controller
        self.output = output
        withLog = options.watch
        timeout = options.timeout.map { .seconds($0) }
        isWanted = options.wait || options.watch
    }

    /// Shows what was accepted; waits for its end when that was asked for. Throws when it did not end well.
    func finish(_ accepted: APIModels.AcceptedOperation) async throws {
        guard isWanted else {
            return try output.show(accepted) { accepted in
                (accepted.service.map { "service \($0.id)\n" } ?? "") + "operation \(accepted.operation.id)"
            }
        }
        if let service = accepted.service { Terminal.note("service \(service.id)") }
        let operation = try await end(of: accepted.operation.id)
        let service: Service? = try await operation.service.asyncMap { id in
            try await controller.get("/api/v1/services/\(PercentEncoding.encode(id))")
        }
        try output.show(APIModels.AcceptedOperation(operation: operation, service: service)) { _ in
            service.map { "service \($0.id) is \($0.state)" } ?? "operation \(operation.id) \(operation.state)"
        }
        if let failure = Failure(endOf: operation) { throw failure }
    }

    /// The operation once it has ended; its steps are told on standard error meanwhile.
    func end(of id: String) async throws -> Operation {
        guard let timeout else { return try await followed(id) }
        return try await withThrowingTaskGroup { group in
            group.addTask { try await followed(id) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw Failure(
                    .overdue, "operation \(id) has not ended yet; follow it with `innctl operation watch \(id)`")
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }

    private func followed(_ id: String) async throws -> Operation {
        var last: String?
        var silence = 0
        while true {
            if let operation = try await attempt(id, &last, &silence) { return operation }
            silence += 1
            try await Task.sleep(for: .milliseconds(min(5000, 250 * silence)))
        }
    }

    /// As `read`, but a controller that cannot be reached for a while is waited for.
    private func attempt(_ id: String, _ last: inout String?, _ silence: inout Int) async throws -> Operation? {
        do {
            return try await read(id, &last, &silence)
        } catch {
            guard error.code == .unreachable, silence < Self.patience else { throw error }
            if silence == 0 { Terminal.note("  … \(error.message); trying again") }
            return nil
        }
    }

    /// One connection: nil when it ended before the operation did.
    private func read(_ id: String, _ last: inout String?, _ silence: inout Int) async throws(Failure) -> Operation? {
        let path = "/api/v1/operations/\(PercentEncoding.encode(id))/events"
        let stream = try await controller.events(path, after: last)
        var reader = EventReader()
        do {
            for try await chunk in stream {
                for event in try reader.read(chunk) {
                    silence = 0
                    last = event.id ?? last
                    if let operation = try tell(event), operation.isFinished { return operation }
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

    private func tell(_ event: ServerEvent) throws(Failure) -> Operation? {
        do {
            let json = try JSONParser.parse(Array(event.data.utf8), limits: .answer)
            switch event.name {
            case "output": try onOutput?(try BodyDecoder.model(OutputPiece.self, from: json))
            case "step" where isQuiet: break
            case "step": Terminal.note(StepLine.step(try BodyDecoder.model(OperationStep.self, from: json)))
            case "log" where withLog:
                Terminal.note("    " + StepLine.log(try BodyDecoder.model(LogLine.self, from: json)))
            case "operation":
                let operation = try BodyDecoder.model(Operation.self, from: json)
                if !isQuiet { Terminal.note(StepLine.operation(operation)) }
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

extension Optional {
    /// As `map`, for work that waits.
    func asyncMap<Result>(_ transform: (Wrapped) async throws -> Result) async rethrows -> Result? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
