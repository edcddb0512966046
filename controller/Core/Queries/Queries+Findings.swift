package import APIModels
import Model
package import Store

/// Which findings are wanted; nil means any.
package struct FindingQuestion: Sendable {
    package var state: String?
    package var severity: String?
    package var kind: String?
    /// Id or name.
    package var node: String?
    /// Id or external id.
    package var service: String?
    /// Where no state is asked for: those that are resolved too.
    package var withResolved = false

    package init() {}

    /// What `state` and `severity` can be.
    package static let states = FindingFilter.State.allCases.map(\.rawValue)
    package static let severities = FindingRecord.Severity.allCases.map(\.rawValue)
}

extension Queries {
    /// What is not as it should be, newest first; a customer sees what concerns his services.
    package func findings(
        _ question: FindingQuestion, _ part: ListPart
    ) async throws(CoreError) -> Listing<FindingView> {
        let filter = FindingFilter(
            state: question.state.flatMap { FindingFilter.State(rawValue: $0) },
            severity: question.severity.flatMap { FindingRecord.Severity(rawValue: $0) }, kind: question.kind,
            node: try await nodeFilter(question.node), service: try await serviceFilter(question.service),
            withResolved: question.withResolved, customer: viewer.customer)
        let page = try await read { store throws(StoreError) in
            try store.findings(filter, page: part.request(.descending))
        }
        return try await told(page.listing { FindingView($0) })
    }

    package func finding(_ id: String) async throws(CoreError) -> FindingView {
        let viewer = viewer
        let found = try await read { store throws(StoreError) -> FindingRecord? in
            guard let record = try store.finding(id), try store.isSeen(service: record.service, by: viewer) else {
                return nil
            }
            return record
        }
        guard let found else { throw .notFound(kind: "finding", id: id) }
        return try await told(FindingView(found))
    }

    /// A finding as it is after a change.
    package func changed(_ finding: FindingRecord) async throws(CoreError) -> FindingView {
        try await named(FindingView(finding))
    }
}
