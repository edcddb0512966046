package import Model
import Synchronization

/// How operations and their steps went since the controller has started, for `/metrics`. Kinds, products and steps are those of the
/// catalogue, so there are not many series.
package final class OperationMeasures: Sendable {
    /// What is counted apart.
    package struct Series: Hashable, Comparable, Sendable {
        /// Empty for work on nodes.
        package let product: String
        package let kind: String
        /// Nil for an operation as a whole, from the order to its end.
        package let step: String?
        /// Of operations their last state, of attempts at steps `done` or `failed`.
        package let outcome: String

        package static func < (left: Series, right: Series) -> Bool {
            (left.product, left.kind, left.step ?? "", left.outcome)
                < (right.product, right.kind, right.step ?? "", right.outcome)
        }
    }

    private static let operationBounds: [Double] = [
        1, 5, 15, 30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1800, 3600,
    ]
    private static let stepBounds: [Double] = [0.05, 0.25, 1, 5, 15, 30, 60, 120, 300, 600, 1800]
    private let values = Mutex<[Series: Histogram]>([:])

    package init() {}

    func note(_ series: Series, took duration: Duration) {
        let bounds = series.step == nil ? Self.operationBounds : Self.stepBounds
        values.withLock { $0[series, default: Histogram(bounds: bounds)].add(duration) }
    }

    /// All that was counted so far, in order.
    package var all: [(series: Series, histogram: Histogram)] {
        values.withLock { values in values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
}
