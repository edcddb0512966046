package import Model
import Synchronization

/// Requests by method, route and status, for `/metrics`. Routes are the API's own, so there are not many.
package final class RequestCounters: Sendable {
    /// What is counted apart.
    package struct Series: Hashable, Comparable, Sendable {
        package let method: String
        package let route: String
        package let status: Int

        package static func < (left: Series, right: Series) -> Bool {
            (left.route, left.method, left.status) < (right.route, right.method, right.status)
        }
    }

    /// How many, and how long all of them took.
    package struct Value: Sendable {
        package var count: Int64 = 0
        package var seconds = 0.0
    }

    /// What times are told apart by: less than what is counted, for each has many buckets.
    package struct Route: Hashable, Comparable, Sendable {
        package let method: String
        package let route: String

        package static func < (left: Route, right: Route) -> Bool {
            (left.route, left.method) < (right.route, right.method)
        }
    }

    private let values = Mutex<[Series: Value]>([:])
    private let durations = Mutex<[Route: Histogram]>([:])
    private static let bounds: [Double] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
    ]
    private static let methods: Set<String> = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]

    func count(_ method: String, _ route: String, status: Int, took: Duration) {
        // A client can make up methods without end.
        let method = Self.methods.contains(method) ? method : "other"
        values.withLock { values in
            values[Series(method: method, route: route, status: status), default: Value()].count += 1
            values[Series(method: method, route: route, status: status), default: Value()].seconds +=
                Double(took.wholeMilliseconds) / 1000
        }
        durations.withLock {
            $0[Route(method: method, route: route), default: Histogram(bounds: Self.bounds)].add(took)
        }
    }

    /// How long answers took since the start, in order.
    package var times: [(route: Route, histogram: Histogram)] {
        durations.withLock { durations in durations.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }

    /// All that was counted so far, in order.
    package var all: [(series: Series, value: Value)] {
        values.withLock { values in values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
}
