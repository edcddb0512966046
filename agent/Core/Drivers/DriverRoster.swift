package import DriverKit
import Synchronization

/// The node's drivers, in the order in which they were found, and which of them have lost what they drive. None is ever
/// taken away: what goes may come back.
package final class DriverRoster: Sendable {
    private struct State {
        var drivers: [any Driver]
        var absences: [String: String] = [:]
        /// Counts changes, and how many of them the controller was told.
        var changes = 0
        var told = 0
    }

    private let state: Mutex<State>

    package init(_ drivers: [any Driver]) { state = Mutex(State(drivers: drivers)) }

    package var drivers: [any Driver] { state.withLock(\.drivers) }

    /// Why drivers are absent, by their names.
    var absences: [String: String] { state.withLock(\.absences) }

    func has(_ name: String) -> Bool { drivers.contains { type(of: $0).name == name } }

    func add(_ driver: any Driver) {
        state.withLock { state in
            state.drivers.append(driver)
            state.changes += 1
        }
    }

    /// Notes why a driver is absent, or that it is not. Returns whether that is another state than before.
    func note(_ absence: String?, of name: String) -> Bool {
        state.withLock { state in
            let isNew = (state.absences[name] == nil) != (absence == nil)
            state.absences[name] = absence
            if isNew { state.changes += 1 }
            return isNew
        }
    }

    /// The changes so far are on their way to the controller.
    func tell() { state.withLock { $0.told = $0.changes } }

    var isUntold: Bool { state.withLock { $0.told < $0.changes } }
}
