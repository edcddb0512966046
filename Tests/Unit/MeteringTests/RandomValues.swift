import TestSupport

extension SeededGenerator {
    /// Values of every kind that a node may send, and some that it should not.
    mutating func value() -> Double {
        switch Int.random(in: 0..<12, using: &self) {
        case 0: .nan
        case 1: 0
        case 2: Double(Int.random(in: -1000...1000, using: &self))
        case 3: Double(Int64.random(in: .min ... .max, using: &self))
        case 4: Double(Int.random(in: 0...1_000_000, using: &self)) / 1000
        case 5: Double.random(in: 0...1, using: &self)
        case 6: Double(bitPattern: next())
        case 7:
            [-0.0, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude].randomElement(using: &self)!
        default: Double(UInt32.random(in: 0 ... .max, using: &self))
        }
    }
}

/// Equal bit by bit, any NaN being as good as another.
func isSame(_ left: [Double], _ right: [Double]) -> Bool {
    left.count == right.count
        && zip(left, right).allSatisfy { ($0.isNaN && $1.isNaN) || $0.bitPattern == $1.bitPattern }
}
