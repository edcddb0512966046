package import APIModels
import Model
package import Store
import WireProtocol

/// Which operations are wanted; nil means any.
package struct OperationQuestion: Sendable {
    package var state: String?
    /// Id or external id.
    package var service: String?
    /// Id or name.
    package var node: String?
    package var kind: String?
    package var customer: String?

    package init() {}

    /// What `state` can be.
    package static let states = OperationRecord.State.allCases.map(\.rawValue)
}

extension Queries {
    /// Operations, newest first.
    package func operations(
        _ question: OperationQuestion, _ part: ListPart
    ) async throws(CoreError) -> Listing<APIModels.Operation> {
        var filter = OperationFilter(
            states: question.state.map { [OperationRecord.State(rawValue: $0)].compactMap(\.self) },
            service: try await serviceFilter(question.service), node: try await nodeFilter(question.node),
            kind: question.kind, customer: question.customer)
        if let own = viewer.customer {
            if let wanted = question.customer, wanted != own { return Listing(items: []) }
            filter.customer = own
        }
        let wanted = filter
        let page = try await read { store throws(StoreError) in
            try store.operations(wanted, page: part.request(.descending))
        }
        var listing = page.listing { Operation(summaryOf: $0) }
        listing.items = try await withAskers(listing.items)
        return try await told(listing)
    }

    /// One operation and its steps.
    package func operation(named id: String) async throws(CoreError) -> APIModels.Operation {
        let record = try await operation(id)
        let (outline, journal) = try await steps(of: record)
        let view = Operation(
            record, steps: StepHistory(outline, journal).steps, withResult: viewer.scopes.permits(.commands))
        return try await told(withAskers([view])[0])
    }

    /// With the names of the keys that asked for the operations, for whoever may know of keys.
    private func withAskers(_ operations: [APIModels.Operation]) async throws(CoreError) -> [APIModels.Operation] {
        guard viewer.scopes.permits(.admin) else { return operations }
        let actors = operations.compactMap(\.requestedBy)
        let names = try await read { store throws(StoreError) in try store.names(of: actors) }
        return operations.map { operation in
            var named = operation
            named.requestedByName = operation.requestedBy.flatMap { names[$0] }
            return named
        }
    }

    func steps(of record: OperationRecord) async throws(CoreError) -> ([StepOutline], [JournalRecord]) {
        let catalogue = catalogue
        return try await read { store throws(StoreError) in
            let service = try record.service.flatMap { id throws(StoreError) in try store.service(id) }
            let product = service.flatMap { catalogue.product(of: $0) }
            return (catalogue.type(record.kind)?.outline(product) ?? [], try store.journal(record.id))
        }
    }

    /// An operation as it is after a change.
    package func changed(_ operation: OperationRecord) async throws(CoreError) -> APIModels.Operation {
        try await told(Operation(operation))
    }

    /// What an order to nodes has led to.
    package func accepted(_ taken: OrderedCommand) async throws(CoreError) -> AcceptedOperation {
        try await told(AcceptedOperation(operation: Operation(taken.operation), service: nil))
    }

    /// The scope that it takes to change an operation.
    package func scope(ofOperation id: String) async throws(CoreError) -> Scope {
        catalogue.type(try await operation(id).kind)?.access == .commands ? .commands : .services
    }

    /// What an operation has to tell.
    package func log(_ id: String, _ part: ListPart) async throws(CoreError) -> Listing<LogLine> {
        let record = try await operation(id)
        let lines = try await read { store throws(StoreError) in
            try store.log(record.id, after: part.after.flatMap { Int64($0) } ?? 0, limit: part.limit + 1)
        }
        let shown = lines.prefix(part.limit)
        let next = lines.count > part.limit ? shown.last.map { String($0.seq) } : nil
        return Listing(items: shown.compactMap { LogLine($0, for: viewer) }, next: next)
    }

    /// The last that a command has said; for those who may run one.
    package func output(of id: String) async throws(CoreError) -> APIModels.CommandOutput {
        try viewer.requireFleet(.commands)
        let record = try await operation(id)
        let chunks = try await lastOutput(of: record.id, after: OutputPlace())
        return APIModels.CommandOutput(pieces: chunks.map { OutputPiece($0) })
    }

    /// What an operation's command has said behind a place: live while it runs, then what was kept.
    func lastOutput(of operation: String, after place: OutputPlace) async throws(CoreError) -> [OutputChunk] {
        if let output = dependencies.live.output(of: operation) { return output.read(after: place) }
        let kept = try await readFleet(.commands) { store throws(StoreError) in try store.output(of: operation) }
        return (kept?.asArray ?? []).compactMap { OutputChunk($0) }.compactMap { chunk in
            var rest = chunk
            let known = min(Int64(chunk.bytes.count), max(0, place[chunk.stream] - chunk.offset))
            rest.bytes.removeFirst(Int(known))
            rest.offset += known
            return rest.bytes.isEmpty ? nil : rest
        }
    }
}
