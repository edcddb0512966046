package import APIModels
import Model
import Store
import WireProtocol

/// What the core tells about the books, to one viewer.
///
/// A thing that the viewer may not see is answered exactly as one that is not there. Every question goes through here, so that
/// no front can forget the filter.
package struct Queries: Sendable {
    private let operations: Operations
    package let viewer: Viewer

    package init(_ operations: Operations, for viewer: Viewer) {
        self.operations = operations
        self.viewer = viewer
    }

    var dependencies: Dependencies { operations.dependencies }
    var catalogue: Catalogue { dependencies.catalogue }
    var now: Timestamp { dependencies.clock.now() }

    /// Several questions to the store with nothing in between. Everything that a viewer is told is read here.
    func read<Value: Sendable>(
        _ scope: Scope = .read, _ body: @Sendable (isolated Store) throws(StoreError) -> Value
    ) async throws(CoreError) -> Value {
        try viewer.require(scope)
        do throws(StoreError) { return try await dependencies.store.look(body) } catch { throw CoreError(error) }
    }

    /// The same for what belongs to no customer.
    func readFleet<Value: Sendable>(
        _ scope: Scope = .read, _ body: @Sendable (isolated Store) throws(StoreError) -> Value
    ) async throws(CoreError) -> Value {
        try viewer.requireFleet(scope)
        return try await read(scope, body)
    }

    /// Where an order would be placed now, and why not elsewhere. Nothing is recorded.
    package func placement(of request: ServiceRequest) async throws(CoreError) -> PlacementView {
        try viewer.requireFleet()
        let result = try await operations.explainPlacement(request)
        guard let view = try? BodyDecoder.model(PlacementView.self, from: .object(result.json())) else {
            throw .store(.failed("the explanation of a placement cannot be shown"))
        }
        return view
    }
}

/// Which part of a list is wanted.
package struct ListPart: Sendable, Hashable {
    /// `next` of the part before; nil for the first.
    package var after: String?
    /// 1...500.
    package var limit: Int

    package init(after: String? = nil, limit: Int = 100) {
        self.after = after
        self.limit = limit
    }

    func request(_ order: PageRequest.Order = .ascending) -> PageRequest {
        PageRequest(after: after, limit: limit, order: order)
    }
}

extension Page {
    /// The page as it is shown; `next` is the place where it ended.
    func listing<View: Codable & Sendable, Failure>(
        _ view: (Item) throws(Failure) -> View
    ) throws(Failure) -> Listing<View> {
        var views: [View] = []
        for item in items { views.append(try view(item)) }
        return Listing(items: views, next: next)
    }
}

extension Store {
    /// Nobody else gets at the store while the body runs.
    fileprivate func look<Value: Sendable>(
        _ body: @Sendable (isolated Store) throws(StoreError) -> Value
    ) throws(StoreError) -> Value { try body(self) }
}
