/// The samples of one node at one time as bytes, in the order of the node's series. NaN stands for a missing sample.
///
/// Whole numbers and numbers with up to three decimals take one to eight bytes, all others nine; every value comes back
/// bit by bit. A row needs no other row to be read.
package enum PackedRow {
    /// More series in one set than any node has.
    package static let maximumValues = 65536

    private enum Tag {
        static let whole: UInt64 = 0
        static let thousandths: UInt64 = 1
        static let bits: UInt64 = 2
        static let missing: UInt64 = 3
    }

    package static func encode(_ values: [Double]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * 4 + 4)
        bytes.append(varint: UInt64(values.count))
        var missing: UInt64 = 0
        for value in values {
            if value.isNaN {
                missing += 1
                continue
            }
            flush(&missing, into: &bytes)
            append(value, to: &bytes)
        }
        flush(&missing, into: &bytes)
        return bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(DamagedBytes) -> [Double] {
        var reader = ByteReader(bytes[...])
        let count = try reader.count(upTo: maximumValues)
        var values: [Double] = []
        values.reserveCapacity(count)
        while values.count < count {
            try read(&reader, into: &values, upTo: count)
        }
        guard reader.isAtEnd else { throw DamagedBytes("something follows the last value") }
        return values
    }

    private static func flush(_ missing: inout UInt64, into bytes: inout [UInt8]) {
        guard missing > 0 else { return }
        bytes.append(varint: missing << 2 | Tag.missing)
        missing = 0
    }

    private static func append(_ value: Double, to bytes: inout [UInt8]) {
        if let whole = value.whole {
            bytes.append(varint: UInt64(zigzag: whole) << 2 | Tag.whole)
        } else if let thousandths = value.thousandths {
            bytes.append(varint: UInt64(zigzag: thousandths) << 2 | Tag.thousandths)
        } else {
            bytes.append(UInt8(Tag.bits))
            bytes.append(bits: value.bitPattern)
        }
    }

    private static func read(
        _ reader: inout ByteReader, into values: inout [Double], upTo count: Int
    ) throws(DamagedBytes) {
        let code = try reader.varint()
        switch code & 3 {
        case Tag.whole: values.append(Double((code >> 2).unzigzagged))
        case Tag.thousandths: values.append(Double((code >> 2).unzigzagged) / 1000)
        case Tag.bits: values.append(Double(bitPattern: try reader.bits()))
        default:
            guard code >> 2 <= UInt64(count - values.count) else { throw DamagedBytes("too many missing values") }
            values.append(contentsOf: repeatElement(.nan, count: Int(code >> 2)))
            // A run of nothing would let the loop stand still.
            if code >> 2 == 0 { throw DamagedBytes("an empty run") }
        }
    }
}

extension Double {
    /// The largest whole number that the codes hold, with room for two tag bits and for sums and differences.
    private static let wholeLimit = 4_503_599_627_370_496.0

    /// The value as a whole number when that brings back the same bits (negative zero does not).
    var whole: Int64? {
        guard abs(self) < Self.wholeLimit else { return nil }
        let whole = Int64(self)
        return Double(whole).bitPattern == bitPattern ? whole : nil
    }

    /// The value times 1000 when dividing by 1000 brings back the same bits.
    var thousandths: Int64? {
        guard abs(self) < Self.wholeLimit / 1000 else { return nil }
        let scaled = Int64((self * 1000).rounded())
        return (Double(scaled) / 1000).bitPattern == bitPattern ? scaled : nil
    }
}
