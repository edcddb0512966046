import APIModels
import ControllerCore
import HTTPTypes
import Hummingbird
import Logging
import Model
import Store

extension Problem {
    /// The problem that an error of any kind amounts to. What is not the caller's fault is logged with an id that the
    /// caller gets too; its cause stays in the log.
    init(_ error: any Error, logger: Logger) {
        switch error {
        case let problem as Problem: self = problem
        case let error as CoreError:
            if case .store(let cause) = error {
                self.init(cause, logger: logger)
            } else {
                self = Problem(error) ?? Problem(unexpected: error, logger)
            }
        case let error as StoreError: self = Problem(error) ?? Problem(unexpected: error, logger)
        case let error as GrammarError: self.init(.invalidField, error.description, field: error.field)
        case let error as HTTPError: self = Problem(error) ?? Problem(unexpected: error, logger)
        case is BrokenBody: self.init(.badRequest, "the body of the request is not framed as HTTP/1.1 has it")
        case is DepartedCaller: self.init(.badRequest, "the connection ended before the body did")
        case is CancellationError: self.init(.unavailable, "the controller is stopping")
        default: self.init(unexpected: error, logger)
        }
    }

    private init?(_ error: StoreError) {
        switch error {
        case .conflict(_, let field): self.init(.conflict, error.description, field: field)
        case .notFound: self.init(.notFound, error.description)
        case .invalid: self.init(.badRequest, error.description)
        case .wrongState, .token, .exhausted: self.init(.conflict, error.description)
        case .full: self.init(.storageFull, "the controller's disk is full; nothing was changed")
        case .readOnly, .busy, .closed: self.init(.unavailable, "the controller's store cannot be used now")
        case .corrupt, .newerSchema, .notAStore, .missing, .isBackup, .failed: return nil
        }
    }

    private init?(_ error: HTTPError) {
        switch error.status {
        case .notFound: self.init(.notFound, "there is nothing at this path")
        case .contentTooLarge: self.init(.tooLarge, "the request is too large")
        case .badRequest: self.init(.badRequest, error.body ?? "the request cannot be understood")
        default: return nil
        }
    }

    private init(unexpected error: any Error, _ logger: Logger) {
        let id = Identifier.make("err")
        logger.error("a request failed", metadata: ["error.id": .string(id), "error": "\(error)"])
        self.init(.internalError, "the controller failed; error \(id) in its log says why", errorID: id)
    }
}
