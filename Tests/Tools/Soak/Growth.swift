/// Whether a figure grows for ever, or has only been filling what it keeps: caches, pools, tables that have a limit.
///
/// Both rise at first. What warms up rises ever less, so what counts is whether the rise goes on in the last half of the
/// readings. Where the last half alone can be read either way, that is said, and only a longer run tells.
enum Growth: String, Sendable {
    /// It does not rise, or may.
    case none = ""
    case warmsUp = "warmed up"
    case undecided = "UNDECIDED"
    case grows = "LEAK"

    var isGood: Bool { self == .none || self == .warmsUp }

    /// - Parameter bound: units an hour from which it is growth that must not be; nil for a figure that may grow.
    init(_ points: [(hours: Double, value: Double)], bound: Double?) {
        let block = 1.0 / 60
        guard let bound, let all = Slope(points, blockHours: block), all.lowest > bound,
            let (first, last) = points.first.flatMap({ first in points.last.map { (first.hours, $0.hours) } })
        else {
            self = .none
            return
        }
        let late = Slope(points.filter { $0.hours >= (first + last) / 2 }, blockHours: block)
        guard let late else {
            self = .undecided
            return
        }
        if late.lowest > bound {
            self = .grows
        } else {
            self = late.perHour + late.halfWidth <= max(bound, all.lowest) ? .warmsUp : .undecided
        }
    }
}
