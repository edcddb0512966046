package import APIModels

extension Queries {
    /// An operation at its end, or as it is when that has not come in time.
    /// - Parameters:
    ///   - patience: how long to wait for it.
    ///   - departure: returns when whoever asked is gone.
    package func end(
        ofOperation id: String, in history: ChangeHistory, within patience: Duration,
        until departure: @escaping @Sendable () async -> Void
    ) async throws -> APIModels.Operation {
        // Before the first look: nothing that happens after it is missed.
        let reader = try changes(in: history, after: nil, kinds: ["operation"])
        let bell = history.bell()
        let first = try await operation(named: id)
        // Without a bell the controller is stopping; the work goes on after its next start.
        guard !first.isFinished, patience > .zero, let bell else { return first }
        return try await withThrowingTaskGroup(of: APIModels.Operation?.self) { group in
            group.addTask { [reader] in
                var reader = reader
                for await _ in bell {
                    let news = try await reader.read()
                    if news.contains(where: { $0.isMissed || $0.notice.id == id }) {
                        let now = try await operation(named: id)
                        if now.isFinished { return now }
                    }
                    // What comes close together is read together.
                    try await Task.sleep(for: .milliseconds(50))
                }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: patience)
                return nil
            }
            group.addTask {
                await departure()
                return nil
            }
            defer { group.cancelAll() }
            if let ended = try await group.next() ?? nil { return ended }
            return try await operation(named: id)
        }
    }
}
