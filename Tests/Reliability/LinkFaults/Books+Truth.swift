import AgentCore
import Model
import Store
import TestSupport
import Testing
import WireProtocol

extension House {
    /// Nothing flows any more: all that is on the agent's disk must reach the store and be acknowledged, without a
    /// reconnect's help.
    func settled() async throws -> Books {
        driver.flow(false)
        guard await eventually(within: .seconds(60), { await self.isSettled() }) else {
            throw SetupFailure("not everything is acknowledged: \(await agentHolds())\n\(log.tail)")
        }
        return try await Books(store, driver: driver)
    }

    private func isSettled() async -> Bool {
        guard let positions = try? await store.positions(node: AgentPlace.node),
            let extents = try? await agent?.extents(),
            let used = try? await store.usageCounters(subject: "thing/a").first?.value
        else { return false }
        let next: [ReportKind: Int64] = [
            .metrics: (positions.metrics ?? 0) + 1, .usage: (positions.usage ?? 0) + 1,
            .events: (positions.events ?? 0) + 1,
        ]
        return extents.held.isEmpty && extents.next == next && used == driver.used
    }

    private func agentHolds() async -> String {
        let positions = try? await store.positions(node: AgentPlace.node)
        let extents = try? await agent?.extents()
        return
            "the agent holds \(extents.map { "\($0)" } ?? "?"), stored is \(positions.map { "\($0)" } ?? "?"), used \(driver.used)"
    }

    /// Holds the books against what the driver knows.
    /// - Parameter losses: whether the spool may have run over.
    func expectTruth(losses: Bool = false, at location: SourceLocation = #_sourceLocation) async throws -> Books {
        let books = try await settled()
        expectSamples(books, location)
        expectEvents(books, location)
        #expect(books.used == driver.used && books.counted == driver.used, "usage", sourceLocation: location)
        if !losses { #expect(books.gaps == [], sourceLocation: location) }
        #expect(!books.samples.isEmpty && !books.events.isEmpty && driver.used > 0, sourceLocation: location)
        return books
    }

    private func expectSamples(_ books: Books, _ location: SourceLocation) {
        let numbers = books.samples.map(\.number)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "samples twice", sourceLocation: location)
        let truth = Dictionary(uniqueKeysWithValues: driver.samples.map { ($0.number, $0.time) })
        for sample in books.samples {
            // The round's time is taken just before the driver is asked.
            let late = truth[sample.number].map { $0 - sample.time }
            #expect(late.map { (.zero ... .seconds(1)).contains($0) } == true, "moved", sourceLocation: location)
        }
        let missing = Set(truth.keys).subtracting(numbers)
        let unexplained = missing.filter { number in
            !books.gaps.contains { gap in
                gap.kind == "metrics" && (gap.fromTime...gap.toTime + .seconds(1)).contains(truth[number]!)
            }
        }
        // The look that was under way when an agent ended is none that it took.
        #expect(unexplained.count <= deaths, "missing samples \(unexplained.sorted())", sourceLocation: location)
        let cut = Int64(missing.count) - books.missing("metrics")
        #expect((0...Int64(deaths)).contains(cut), "gaps and samples are \(cut) apart", sourceLocation: location)
    }

    private func expectEvents(_ books: Books, _ location: SourceLocation) {
        let truth = driver.events
        // They are stored as they came, and one that was held up came later.
        let numbers = books.events.map(\.number).sorted()
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "events twice", sourceLocation: location)
        #expect(Set(truth).isSuperset(of: books.events), "events with other times", sourceLocation: location)
        let missing = Int64(truth.count - books.events.count)
        #expect(missing == books.missing("events"), "missing events", sourceLocation: location)
    }
}
