/// All that happens in a seed's world: a fingerprint always, and the text of it when somebody wants to read it.
package struct Trace: Sendable {
    package var isPrinting = false
    /// The last lines, for the report of a failure.
    package private(set) var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325

    package mutating func mix(_ value: UInt64) {
        fingerprint = (fingerprint ^ value) &* 0x0000_0100_0000_01B3
        fingerprint ^= fingerprint >> 29
    }

    package mutating func mix(_ bytes: some Sequence<UInt8>) {
        var word: UInt64 = 0
        var count = 0
        for byte in bytes {
            word = word << 8 | UInt64(byte)
            count += 1
            if count & 7 == 0 { mix(word) }
        }
        mix(word ^ UInt64(count) << 56)
    }

    package mutating func line(at time: Moment, _ who: String, _ text: @autoclosure () -> String) {
        guard isPrinting else { return }
        print("\(time.text) \(who) \(text())")
    }
}
