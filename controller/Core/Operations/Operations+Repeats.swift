import Model
import Store

// A request whose answer got lost, because the controller died between recording it and answering, comes again under the
// same key. The front that keeps answers by their keys has none then: the operation itself knows the key.

extension Store {
    /// The operation that an earlier attempt at this very request has made for the service.
    func earlier(
        _ kind: String, on service: ServiceRecord, by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> ServiceOperation? {
        guard let operation = try earlier(kind, by: requester, at: time), operation.service == service.id else {
            return nil
        }
        return ServiceOperation(service: service, operation: operation, created: false)
    }

    func earlier(
        _ kind: String, by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> OperationRecord? {
        guard let key = requester.idempotencyKey else { return nil }
        return try operation(
            kind: kind, key: key, by: requester.name, since: time - Requester.keyLifetime)
    }
}
