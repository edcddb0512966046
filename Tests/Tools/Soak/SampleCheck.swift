import APIModels
import SimulatedFleet
import Store

/// Compares what the controller has of a node's samples with what was sampled.
struct SampleCheck: Sendable {
    let front: APIClient
    let findings: Findings

    /// Every sample is there with its own time, or a gap was recorded for it.
    /// - Parameter isComplete: false while the newest samples may be on their way.
    func check(_ node: SimulatedNode, isComplete: Bool) async throws {
        let times = node.times
        guard let first = times.first, let last = times.last else { return }
        let query = "name=\(SimulatedNode.sequence)&from=\(first)&to=\(last + 1000)&step=1000"
        let range = try await front.model("GET", "/api/v1/nodes/\(node.id)/metrics?\(query)", as: MetricRange.self)
        let points = range.series.first { $0.name == SimulatedNode.sequence }?.points ?? []
        var found = Set<Int64>()
        for point in points {
            let number = Int64(point.value)
            guard Double(number) == point.value, times.indices.contains(Int(number) - 1),
                times[Int(number) - 1] / 1000 == point.milliseconds / 1000
            else {
                findings.breach("node \(node.id): a sample \(point.value) at \(point.milliseconds) is not the truth")
                return
            }
            found.insert(number)
        }
        report(node, found, expected: Int64(times.count - (isComplete ? 0 : node.waiting)))
    }

    private func report(_ node: SimulatedNode, _ found: Set<Int64>, expected: Int64) {
        findings.count("samples checked", found.count)
        guard expected > 0 else { return }
        let missing = (1...expected).filter { !found.contains($0) }
        let lost = missing.filter { number in !node.gaps.contains { $0.contains(number) } }
        findings.count("samples lost with a gap on record", missing.count - lost.count)
        if !lost.isEmpty {
            findings.breach(
                "node \(node.id): \(lost.count) of \(expected) samples are missing without a gap, the first \(lost[0])")
        }
    }

    /// The controller's own records of the gaps that a node told of: from its store, once it has stopped.
    func checkGaps(_ node: SimulatedNode, in store: Store) async throws {
        let page = try await store.gaps(node: node.id, page: PageRequest(limit: PageRequest.maximum))
        let recorded = page.items.map { $0.fromSeq...$0.toSeq }
        findings.count("gaps on record", recorded.count)
        let forgotten = node.toldGaps.filter { told in !recorded.contains { $0.overlaps(told) } }
        if !forgotten.isEmpty { findings.breach("node \(node.id): the gap \(forgotten[0]) is not on record") }
    }
}
