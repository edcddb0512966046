package import APIModels
import Store

extension Problem {
    /// The problem that an error of the core amounts to; nil where the caller can do nothing about it.
    package init?(core error: any Error) {
        switch error {
        case CoreError.store(let cause): self.init(cause)
        case let error as CoreError: self.init(error)
        case let error as StoreError: self.init(error)
        default: return nil
        }
    }

    private init?(_ error: CoreError) {
        switch error {
        case .invalid(let field, _): self.init(.invalidField, error.description, field: field)
        case .unusable(let field, _): self.init(.unusable, error.description, field: field)
        case .notFound: self.init(.notFound, error.description)
        case .namesNothing(let field, _): self.init(.notFound, error.description, field: field)
        case .forbidden: self.init(.forbidden, error.description)
        case .conflict, .notAllowedInState: self.init(.conflict, error.description)
        case .notAsExpected: self.init(.preconditionFailed, error.description)
        case .store: return nil
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
}
