import Store
import WireProtocol

/// The state in which a service will be when all that is queued for it has gone well.
///
/// A request is checked against this, so that a billing system may ask for a suspension while the upgrade still runs.
/// When an operation's turn comes it is checked again, against the state that is there then.
func projectedState(
    _ state: ServiceRecord.State, after queue: [OperationRecord], of product: Product
) -> ServiceRecord.State {
    queue.filter { !$0.state.isFinished }.sorted { $0.position < $1.position }.reduce(state) { state, operation in
        guard let verb = product.verb(operation.kind)?.verb else { return state }
        let began = operation.parameters["from"]?.asString.flatMap(ServiceRecord.State.init(rawValue:)) ?? state
        return operation.cancelRequested && verb.isCancellable ? verb.undone(began) : verb.succeeded(began)
    }
}
