import FaultProxy
import SiteSupport
import TestSupport
import Testing

/// A plan of faults as the argument of a test, which tells how to run the test with it again.
struct PlannedWeather: Sendable, CustomTestStringConvertible {
    let plan: FaultPlan

    var testDescription: String {
        "\(plan), again by: \(FaultPlan.variable)=\(plan) swift test --skip-build --filter '^LinkFaults\\.'"
    }

    /// The plan of the environment; without one, each profile with the seeds.
    static func plans(
        _ profiles: [FaultProfile] = FaultProfile.allCases, quick: ClosedRange<UInt64>, long: ClosedRange<UInt64>,
        connections: Int
    ) -> [PlannedWeather] {
        if let asked = Weather.asked { return [PlannedWeather(plan: asked)] }
        return profiles.flatMap { profile in
            Torture.choose(quick, long: long).map {
                PlannedWeather(plan: .drawn(profile, seed: $0, connections: connections))
            }
        }
    }
}
