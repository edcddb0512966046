import FaultProxy
import Testing

@Suite struct `Plans of faults` {
    @Test func `a seed makes the same faults again, another seed others`() {
        for profile in FaultProfile.allCases {
            let plan = FaultPlan.drawn(profile, seed: 7, connections: 50)
            let faults = (0..<60).map { plan.faults(of: $0) }
            let again = FaultPlan("\(plan)")
            #expect(again == plan)
            #expect((0..<60).map { again?.faults(of: $0) } == faults)
            #expect(faults[..<50].allSatisfy { $0.count == 1 } && faults[50...].allSatisfy(\.isEmpty))
            let other = FaultPlan.drawn(profile, seed: 8, connections: 50)
            #expect((0..<50).map { other.faults(of: $0) } != Array(faults[..<50]))
        }
    }

    @Test(arguments: ["", "reset", "reset:", "reset:x", "rain:1", "reset:1:-1", "reset:1:2:3"])
    func `what is no plan is none`(text: String) { #expect(FaultPlan(text) == nil) }
}
