package import FaultProxy
import Glibc

/// The faults that a run of tests is to meet.
package enum Weather {
    /// What the environment asks for: `INNKEEPER_FAULTS=mixed:42 swift test --filter EndToEnd`.
    package static let asked = getenv(FaultPlan.variable).flatMap { FaultPlan(String(cString: $0)) }
}
