@testable import Placement
import Testing

@Suite struct ReasonsTests {
    private func word(_ name: String, _ reasons: Exclusion...) -> PlacementResult.Word {
        PlacementResult.Word(node: "node_\(name)", name: name, verdict: .excluded(reasons))
    }

    @Test func `nodes with the same reasons are told together, the most nodes first`() {
        let gib: Int64 = 1 << 30
        let result = PlacementResult(
            words: [
                word("a", .driverMissing("docker")), word("b", .memory(wanted: 2 * gib, free: gib)),
                word("c", .driverMissing("docker")), word("d", .driverMissing("docker")),
                word("e", .driverMissing("docker")),
                word("f", .memory(wanted: 2 * gib, free: gib / 2)), word("g", .cordoned),
                word("h", .cpu(wantedMillis: 250, freeMillis: 0), .poolMissing("tank")),
            ])
        #expect(
            result.reasons
                == "4 nodes (a, c, d, …): no driver docker; "
                + "2 nodes (b, f): not enough memory (2.0 GiB wanted, at most 1.0 GiB free); "
                + "1 node (g): cordoned; "
                + "1 node (h): not enough processor (0.25 cores wanted, at most 0 cores free) and no storage pool tank")
    }

    @Test(arguments: [
        (250, "0.25 cores"), (1000, "1 core"), (1500, "1.5 cores"), (1005, "1.005 cores"), (0, "0 cores"),
    ])
    func `processor time is told in cores`(_ millis: Int64, _ text: String) {
        #expect("\(Exclusion.cpu(wantedMillis: millis, freeMillis: 0))".hasPrefix("\(text) wanted"))
    }
}
