extension Metrics {
    /// Reads the usual form of the message without a tree and with few allocations.
    ///
    /// Nil for anything else, right or wrong: then the ordinary reader decides. What this takes, that one takes alike.
    init?(scanning line: UnsafeRawBufferPointer) {
        guard line.count <= ProtocolVersion.maximumLineBytes else { return nil }
        var scanner = JSONScanner(line)
        guard scanner.take(literal: "{\"type\":\"metrics\",\"seq\":"), let seq = scanner.natural(),
            scanner.take(literal: ",\"time\":"), let time = scanner.natural(),
            scanner.take(literal: ",\"set\":\""), let set = scanner.lowerHexadecimal(count: 16),
            scanner.take(literal: "\",\"values\":["), let values = scanner.values()
        else { return nil }
        let replayed = scanner.take(literal: ",\"replayed\":true")
        guard scanner.take(literal: "}"), scanner.current == nil else { return nil }
        self.init(seq: seq, time: time, set: set, values: values, replayed: replayed)
    }
}

extension JSONScanner {
    fileprivate mutating func natural() -> Int64? {
        guard let byte = current, (0x30...0x39).contains(byte), case .integer(let value)? = try? number() else {
            return nil
        }
        return value
    }

    /// After `[`, up to and with `]`; at least one.
    fileprivate mutating func values() -> [Double?]? {
        var values: [Double?] = []
        values.reserveCapacity(64)
        repeat {
            guard values.count < SeriesDefinition.maximumNames else { return nil }
            if take(literal: "null") {
                values.append(nil)
            } else {
                guard let byte = current, byte == 0x2D || (0x30...0x39).contains(byte) else { return nil }
                switch try? number() {
                case .integer(let value)?: values.append(Double(value))
                case .double(let value)?: values.append(value)
                case nil: return nil
                }
            }
        } while take(0x2C)
        return take(0x5D) ? values : nil
    }
}
