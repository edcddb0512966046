/// The values of one series one after another. The shortest of four forms is taken: nothing, one value throughout, whole
/// numbers (or thousandths) as differences or differences of differences, and bits that differ from the value before.
enum PackedColumn {
    private enum Form {
        static let empty: UInt8 = 0
        static let constant: UInt8 = 1
        static let numbers: UInt8 = 2
        static let bits: UInt8 = 3
        static let mask: UInt8 = 3
        /// A bit a sample follows: 1 where there is one.
        static let hasMissing: UInt8 = 4
        static let thousandths: UInt8 = 8
        static let secondOrder: UInt8 = 16
    }

    static func encode(_ column: [Double]) -> [UInt8] {
        let values = column.filter { !$0.isNaN }
        guard let first = values.first else { return [Form.empty] }
        let isComplete = values.count == column.count
        let presence = isComplete ? [] : bitmap(column)
        let missing = isComplete ? 0 : Form.hasMissing
        if values.allSatisfy({ $0.bitPattern == first.bitPattern }) {
            var bytes = [Form.constant | missing] + presence
            bytes.append(bits: first.bitPattern)
            return bytes
        }
        let (form, body) = numbers(values) ?? (Form.bits, changedBits(values))
        return [form | missing] + presence + body
    }

    static func decode(_ bytes: ArraySlice<UInt8>, count: Int) throws(DamagedBytes) -> [Double] {
        var reader = ByteReader(bytes)
        let form = try reader.byte()
        if form == Form.empty { return [Double](repeating: .nan, count: count) }
        let presence = form & Form.hasMissing == 0 ? nil : try reader.slice((count + 7) / 8)
        let present = presence.map { $0.reduce(0) { $0 + $1.nonzeroBitCount } } ?? count
        guard present <= count else { throw DamagedBytes("more values than samples") }
        let values = try body(&reader, form, present)
        guard reader.isAtEnd else { throw DamagedBytes("something follows the last value of a column") }
        guard let presence else { return values }
        return try spread(values, presence, count)
    }

    private static func body(_ reader: inout ByteReader, _ form: UInt8, _ count: Int) throws(DamagedBytes) -> [Double] {
        switch form & Form.mask {
        case Form.constant: [Double](repeating: Double(bitPattern: try reader.bits()), count: count)
        case Form.numbers: try readNumbers(&reader, form, count)
        case Form.bits: try readBits(&reader, count)
        default: throw DamagedBytes("a column has an unknown form")
        }
    }

    private static func bitmap(_ column: [Double]) -> [UInt8] {
        var bits = [UInt8](repeating: 0, count: (column.count + 7) / 8)
        for (index, value) in column.enumerated() where !value.isNaN { bits[index / 8] |= 1 << UInt8(index % 8) }
        return bits
    }

    private static func spread(
        _ values: [Double], _ presence: ArraySlice<UInt8>, _ count: Int
    ) throws(DamagedBytes) -> [Double] {
        var column = [Double](repeating: .nan, count: count)
        var next = values.makeIterator()
        for index in 0..<count where presence[presence.startIndex + index / 8] & 1 << UInt8(index % 8) != 0 {
            guard let value = next.next() else { break }
            column[index] = value
        }
        // A set bit behind the last sample would leave a value over.
        guard next.next() == nil else { throw DamagedBytes("more values than samples") }
        return column
    }
}

// Whole numbers and thousandths.
extension PackedColumn {
    private static func numbers(_ values: [Double]) -> (UInt8, [UInt8])? {
        var scale: UInt8 = 0
        var numbers = values.compactMap(\.whole)
        if numbers.count < values.count {
            scale = Form.thousandths
            numbers = values.compactMap(\.thousandths)
        }
        guard numbers.count == values.count else { return nil }
        let first = NumberList.encode(numbers, isSecondOrder: false)
        let second = NumberList.encode(numbers, isSecondOrder: true)
        return second.count < first.count
            ? (Form.numbers | scale | Form.secondOrder, second) : (Form.numbers | scale, first)
    }

    private static func readNumbers(
        _ reader: inout ByteReader, _ form: UInt8, _ count: Int
    ) throws(DamagedBytes) -> [Double] {
        let isSecondOrder = form & Form.secondOrder != 0
        let numbers = try NumberList.read(&reader, count: count, isSecondOrder: isSecondOrder)
        return form & Form.thousandths == 0 ? numbers.map { Double($0) } : numbers.map { Double($0) / 1000 }
    }
}

// Any other numbers.
extension PackedColumn {
    /// Each value's bits against those before: a byte with the count of zero bytes at the low end and the count of
    /// bytes that follow, then those bytes.
    private static func changedBits(_ values: [Double]) -> [UInt8] {
        var bytes: [UInt8] = []
        var last: UInt64 = 0
        for value in values {
            let change = value.bitPattern ^ last
            last = value.bitPattern
            guard change != 0 else {
                bytes.append(0)
                continue
            }
            let low = change.trailingZeroBitCount / 8
            let count = 8 - low - change.leadingZeroBitCount / 8
            bytes.append(UInt8(low << 4 | count))
            for index in low..<low + count { bytes.append(UInt8(truncatingIfNeeded: change >> UInt64(index * 8))) }
        }
        return bytes
    }

    private static func readBits(_ reader: inout ByteReader, _ count: Int) throws(DamagedBytes) -> [Double] {
        var values: [Double] = []
        values.reserveCapacity(count)
        var last: UInt64 = 0
        for _ in 0..<count {
            let head = try reader.byte()
            let (low, length) = (Int(head >> 4), Int(head & 15))
            guard low + length <= 8 else { throw DamagedBytes("a value is longer than eight bytes") }
            for (index, byte) in try reader.slice(length).enumerated() {
                last ^= UInt64(byte) << UInt64((low + index) * 8)
            }
            values.append(Double(bitPattern: last))
        }
        return values
    }
}
