/// The metrics of one moment, in the order in which the drivers append them.
///
/// A batch is kept and refilled: while the same names arrive in the same order nothing is allocated and `layout` stays
/// the same, so that names need to be sent, hashed and stored only when they change.
package struct SampleBatch: Sendable {
    /// Names of the series: `host.cpu.user`, `container/svc_1.memory_bytes`.
    package private(set) var names: [String] = []
    /// Values by position; `nil` where a known series has no value this time.
    package private(set) var values: [Double?] = []
    /// Grows each time the list of names becomes another one.
    package private(set) var layout = 0
    private var layoutAtStart = 0

    package init() {}

    /// Forgets the values, keeps the room and the memory of the names.
    package mutating func restart() {
        values.removeAll(keepingCapacity: true)
        layoutAtStart = layout
    }

    /// Adds the next series.
    package mutating func append(_ name: String, _ value: Double?) {
        let position = values.count
        values.append(value)
        if position < names.count {
            if names[position] == name { return }
            names.removeSubrange(position...)
        }
        names.append(name)
        changeLayout()
    }

    /// Ends the filling: names that no longer came are dropped.
    package mutating func finish() {
        guard values.count < names.count else { return }
        names.removeSubrange(values.count...)
        changeLayout()
    }

    private mutating func changeLayout() {
        if layout == layoutAtStart { layout += 1 }
    }
}
