import Glibc

/// The long part of a test that tries to break the product runs when it is asked for.
package enum Torture {
    /// INNKEEPER_TORTURE is set and not empty.
    package static let isOn = getenv("INNKEEPER_TORTURE").map { $0.pointee != 0 } ?? false

    /// `long` when the long part is asked for, else `quick`.
    package static func choose<Value>(_ quick: Value, long: Value) -> Value { isOn ? long : quick }
}
