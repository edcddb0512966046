/// Random numbers that a seed and a place make: the same for the same, whatever was drawn elsewhere.
package struct Chance: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter place: what the numbers are for, such as the number of a connection.
    package init(seed: UInt64, place: UInt64 = 0) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 &+ place &* 0xD1B5_4A32_D192_ED03
        _ = next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
