/// Whole numbers as differences, or as differences of differences where they grow evenly. All arithmetic wraps, and
/// reading wraps back.
enum NumberList {
    static func encode(_ numbers: [Int64], isSecondOrder: Bool) -> [UInt8] {
        let first = differences(numbers)
        return packed(isSecondOrder ? differences(first) : first)
    }

    static func read(
        _ reader: inout ByteReader, count: Int, isSecondOrder: Bool
    ) throws(DamagedBytes) -> [Int64] {
        var numbers = try unpacked(&reader, count)
        if isSecondOrder { sum(&numbers) }
        sum(&numbers)
        return numbers
    }

    private static func differences(_ numbers: [Int64]) -> [Int64] {
        var last: Int64 = 0
        return numbers.map { number in
            defer { last = number }
            return number &- last
        }
    }

    private static func sum(_ numbers: inout [Int64]) {
        var total: Int64 = 0
        for index in numbers.indices {
            total &+= numbers[index]
            numbers[index] = total
        }
    }

    /// A zero is followed by how many more zeros there are: most gauges stand still most of the time.
    private static func packed(_ numbers: [Int64]) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while index < numbers.count {
            bytes.append(zigzag: numbers[index])
            index += 1
            guard numbers[index - 1] == 0 else { continue }
            let run = numbers[index...].prefix { $0 == 0 }.count
            bytes.append(varint: UInt64(run))
            index += run
        }
        return bytes
    }

    private static func unpacked(_ reader: inout ByteReader, _ count: Int) throws(DamagedBytes) -> [Int64] {
        var numbers: [Int64] = []
        numbers.reserveCapacity(count)
        while numbers.count < count {
            let number = try reader.zigzag()
            numbers.append(number)
            guard number == 0 else { continue }
            let run = try reader.count(upTo: count - numbers.count)
            numbers.append(contentsOf: repeatElement(0, count: run))
        }
        return numbers
    }
}
