import Model
import Saga
import Store
import WireProtocol

extension OperationType {
    /// Where an operation's parameters hold what is never shown and is gone when the operation has ended.
    package static let secretsKey = "secrets"

    /// A verb of services: what its operations do is for each service's product to say.
    static func service(_ kind: String) -> OperationType {
        OperationType(
            kind: kind, access: .services, places: .shared, goesOnAfterRestore: true,
            outline: { $0?.verb(kind)?.outline ?? [] },
            prepare: { preparation in try await preparation.serviceWork(kind) })
    }
}

extension Preparation {
    fileprivate func serviceWork(_ kind: String) async throws -> OperationWork {
        guard let id = operation.service, let service = try await dependencies.store.service(id) else {
            throw UnusableOperation(sentence: "the operation's service is not there")
        }
        guard let verb = dependencies.catalogue.verb(kind, of: service) else {
            throw UnusableOperation(sentence: "this version does not know how a \(service.product) does a \(kind)")
        }
        let scope = ServiceScope(
            dependencies: dependencies, rules: rules, operation: operation, verb: verb.verb, service: service,
            note: note)
        guard let saga = try verb.saga(revision: revision, scope: scope) else {
            throw UnusableOperation(revision: revision ?? 0, of: kind)
        }
        var work = OperationWork(
            saga: saga,
            begin: { store, operation, time throws(StoreError) in
                try store.begin(operation, on: id, verb.verb, at: time)
            },
            end: { store, operation, end throws(StoreError) in
                try store.conclude(operation, on: id, verb, end)
            })
        work.product = service.product
        return work
    }
}

extension UnusableOperation {
    init(revision: Int64, of kind: String) {
        self.init(
            sentence: "it began under revision \(revision) of the steps of \(kind), which this version does not know")
    }
}

extension Store {
    fileprivate func begin(
        _ operation: OperationRecord, on id: String, _ verb: Verb, at time: Timestamp
    ) throws(StoreError) -> Beginning {
        guard let service = try service(id) else { throw .notFound(kind: "service", id: id) }
        guard verb.from.contains(service.state) else {
            let error = CoreError.notAllowed(verb, on: service, in: service.state)
            return .refused(StepFailure(.final, code: "not_allowed_in_state", message: "\(error)", effect: .none))
        }
        try updateService(service.id, at: time) {
            $0.state = verb.during(service.state)
            $0.generation = operation.position
        }
        // One that was asked for before the store was restored stays as old as it is.
        let current = try generationBase()
        let base = operation.parameters[Restoration.baseKey]?.asInteger ?? current
        let from = JSONValue.string(service.state.rawValue)
        try updateOperation(operation.id) { $0.parameters["from"] = from }
        return .context(["from": from, Restoration.baseKey: .integer(base)])
    }

    fileprivate func conclude(
        _ operation: OperationRecord, on id: String, _ verb: ProductVerb, _ end: OperationEnd
    ) throws(StoreError) {
        // Nil while the operation has not begun: then the service is as it was.
        let from = end.context["from"]?.asString.flatMap(ServiceRecord.State.init(rawValue:))
        guard let from else { return }
        try updateService(id, at: end.time) { service in
            switch end.outcome {
            case .succeeded:
                service.state = verb.verb.succeeded(from)
                verb.conclude(&service, operation, end.outputs)
            case .failed, .cancelled: service.state = verb.verb.undone(from)
            case .needsAttention: service.state = verb.verb.stuck(from)
            }
        }
        if case .succeeded = end.outcome { try verb.settle(self, operation, end.outputs, end.time) }
    }
}
