/// How fast a figure grows: least squares over time, with the half width of a 95 % confidence interval.
///
/// Neighbouring readings are alike, which makes the textbook interval too narrow: readings are averaged over blocks, and
/// the interval is widened by what is left of the likeness (the residuals' correlation with their neighbours).
struct Slope: Sendable, Equatable {
    /// Units an hour.
    var perHour: Double
    var halfWidth: Double

    /// The least that it can be.
    var lowest: Double { perHour - halfWidth }

    /// Nil with less than six blocks.
    init?(_ points: [(hours: Double, value: Double)], blockHours: Double) {
        let blocks = Self.blocks(points, blockHours)
        guard blocks.count >= 6 else { return nil }
        let count = Double(blocks.count)
        let meanX = blocks.reduce(0) { $0 + $1.x } / count
        let meanY = blocks.reduce(0) { $0 + $1.y } / count
        let spread = blocks.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
        guard spread > 0 else { return nil }
        perHour = blocks.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / spread
        let slope = perHour
        let residuals = blocks.map { $0.y - meanY - slope * ($0.x - meanX) }
        let squares = residuals.reduce(0) { $0 + $1 * $1 }
        let likeness = Self.likeness(residuals, squares)
        let freedom = count - 2
        let quantile = 1.96 + 2.4 / freedom + 3 / (freedom * freedom)
        halfWidth = quantile * ((squares / freedom / spread) * (1 + likeness) / (1 - likeness)).squareRoot()
    }

    private static func blocks(_ points: [(hours: Double, value: Double)], _ length: Double) -> [(x: Double, y: Double)]
    {
        guard let first = points.first else { return [] }
        let groups = Dictionary(grouping: points) { Int(($0.hours - first.hours) / length) }
        return groups.sorted { $0.key < $1.key }.map { _, group in
            let count = Double(group.count)
            return (group.reduce(0) { $0 + $1.hours } / count, group.reduce(0) { $0 + $1.value } / count)
        }
    }

    /// Correlation of neighbours, 0 to 0.9.
    private static func likeness(_ residuals: [Double], _ squares: Double) -> Double {
        guard squares > 0 else { return 0 }
        let product = zip(residuals, residuals.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
        return min(0.9, max(0, product / squares))
    }
}
