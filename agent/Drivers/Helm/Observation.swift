package import DriverKit
import Model
import Synchronization
package import WireProtocol

/// What was last seen of the releases.
struct HelmObservation: Sendable {
    private var states: [ReleaseID: ReleaseStatus]?

    /// How many releases are in a state; nil while nobody could look.
    func count(_ counts: (ReleaseStatus) -> Bool) -> Double? { states.map { Double($0.values.filter(counts).count) } }

    /// Takes in a look; gives the releases that are in another state than at the last one. The first look gives none.
    mutating func update(_ releases: [ListedRelease]) -> [(release: ListedRelease, before: ReleaseStatus?)] {
        let known = states
        states = Dictionary(releases.map { ($0.id, $0.status) }) { $1 }
        guard let known else { return [] }
        return releases.filter { known[$0.id] != $0.status }.map { ($0, known[$0.id]) }
    }

    /// Nothing is known any more; states are compared with those of the next look again.
    mutating func fail() { states = nil }
}

extension HelmDriver {
    /// Helm reads each release's record for a list, so looks are rare.
    static let lookInterval = Duration.seconds(120)

    package func facts() async -> JSONObject {
        let answer = try? await tools.look(
            .kubectl, ["version", "--output=json", "--request-timeout=5s"], within: .seconds(8))
        let version = answer.flatMap { try? JSONValue(helm: $0) }?["serverVersion"]?["gitVersion"]?.asString
        var facts: JSONObject = ["cluster_answers": .bool(version != nil), "marks": .bool(marksReleases)]
        facts["cluster_version"] = version.map { .string($0) }
        return facts
    }

    package func inventory() async throws(DriverError) -> [InventoryItem] {
        try await releases().map { InventoryItem(resource: $0.id.resource, state: $0.json) }
    }

    package func sample(into batch: inout SampleBatch) async {
        let counts = observed.withLock { seen in
            (seen.count { $0 == .deployed }, seen.count { $0 == .failed }, seen.count { $0.isPending })
        }
        batch.append("helm.releases.deployed", counts.0)
        batch.append("helm.releases.failed", counts.1)
        batch.append("helm.releases.pending", counts.2)
    }

    /// Looks at the releases every two minutes, for samples and to report those whose state has changed.
    package func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        while !Task.isCancelled {
            for event in await lookAround() { emit(event) }
            try? await Task.sleep(for: Self.lookInterval)
        }
    }

    func lookAround() async -> [DriverEvent] {
        guard let releases = try? await releases() else {
            observed.withLock { $0.fail() }
            return []
        }
        return observed.withLock { $0.update(releases) }.map { release, before in
            DriverEvent(
                time: .now(), resource: release.id.resource, kind: "release.state",
                data: [
                    "status": .string(release.status.word), "revision": .integer(release.revision),
                    "before": before.map { .string($0.word) } ?? nil,
                ])
        }
    }
}
