package import DriverKit

/// A driver that the machine may have use for, and how it is looked for.
package struct DriverSource: Sendable {
    package typealias Find = @Sendable (_ others: [any Driver]) async -> (any Driver)?

    package let name: String
    /// Whether something of the technology is there: asked again and again while the driver is not, so it must be cheap.
    package let hasSign: @Sendable () -> Bool
    /// Looks closely; gives the driver where its technology is whole. It is told of the drivers that were found before.
    package let find: Find

    package init(_ name: String, sign hasSign: @escaping @Sendable () -> Bool, find: @escaping Find) {
        (self.name, self.hasSign, self.find) = (name, hasSign, find)
    }
}
