package import APIModels
import Model
package import Store
import WireProtocol

/// Which services are wanted; nil means any.
package struct ServiceQuestion: Sendable {
    package var state: String?
    /// Id or name.
    package var node: String?
    package var customer: String?
    package var plan: String?
    /// That a service must have, all of them; one without a value with any.
    package var labels: [String: String?] = [:]
    /// Where no state is asked for: those that are terminated too.
    package var withTerminated = false

    package init() {}

    /// What `state` can be.
    package static let states = ServiceRecord.State.allCases.map(\.rawValue)
}

extension Queries {
    /// Services, oldest first.
    package func services(_ question: ServiceQuestion, _ part: ListPart) async throws(CoreError) -> Listing<Service> {
        var states: [ServiceRecord.State]? = ServiceRecord.State.allCases.filter { $0 != .terminated }
        if question.withTerminated { states = nil }
        if let state = question.state { states = [ServiceRecord.State(rawValue: state)].compactMap(\.self) }
        let filter = ServiceFilter(
            states: states, node: try await nodeFilter(question.node), customer: question.customer,
            plan: try await planFilter(question.plan))
        let (viewer, labels) = (viewer, question.labels)
        if let own = viewer.customer, let wanted = question.customer, wanted != own { return Listing(items: []) }
        let page = try await read { store throws(StoreError) in
            var filter = filter
            filter.customer = viewer.customer ?? filter.customer
            return try store.services(filter, labelled: labels, page: part.request())
        }
        return try await told(page.listing { Service(summaryOf: $0, catalogue) })
    }

    /// One or none, in whatever state.
    package func services(externalID: String) async throws(CoreError) -> Listing<Service> {
        let viewer = viewer
        let found = try await read { store throws(StoreError) in try store.service(externalID: externalID) }
        let seen = [found].compactMap(\.self).filter { viewer.sees($0) }
        return try await told(Listing(items: seen.map { Service(summaryOf: $0, catalogue) }))
    }

    /// One service, by id or external id, with its newest figures and operation.
    package func service(named text: String) async throws(CoreError) -> Service {
        let record = try await service(text)
        let newest = try await read { store throws(StoreError) in
            try store.operations(
                OperationFilter(service: record.id), page: PageRequest(limit: 1, order: .descending)
            ).items.first
        }
        let metrics = try await latest(Measured(record, catalogue), names: ["*"])?.values
        return try await told(
            Service(record, catalogue, metrics: metrics, operation: newest.map { Operation($0) }))
    }

    /// What an order has led to.
    package func accepted(_ taken: ServiceOperation) async throws(CoreError) -> AcceptedOperation {
        try await told(
            AcceptedOperation(operation: Operation(taken.operation), service: Service(taken.service, catalogue)))
    }

    /// The service as an operation without steps has left it.
    package func changed(_ service: ServiceRecord) async throws(CoreError) -> Service {
        try await told(Service(service, catalogue))
    }

    /// What made a service what `verb` makes of one; nil where it is something else. Billing systems order twice.
    package func done(_ verb: String, _ id: String) async throws(CoreError) -> AcceptedOperation? {
        let goals: [String: ServiceRecord.State] = [
            "suspend": .suspended, "resume": .running, "terminate": .terminated,
        ]
        let service = try await service(id)
        guard goals[verb] == service.state else { return nil }
        // A running service may never have been resumed: then its provisioning is what made it so.
        let past = try await read { store throws(StoreError) in
            try store.operations(
                OperationFilter(service: service.id), page: PageRequest(limit: 100, order: .descending)
            ).items
        }
        guard let operation = past.first(where: { $0.kind == verb }) ?? past.last(where: { $0.state == .succeeded })
        else { return nil }
        return try await told(AcceptedOperation(operation: Operation(operation), service: Service(service, catalogue)))
    }
}
