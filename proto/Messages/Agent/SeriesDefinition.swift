/// The names behind the values of `metrics` messages, sent once a session before the first that uses them.
package struct SeriesDefinition: WireMessage {
    package static let type = "series"
    /// Most names of one set: what fits one line with names of usual length.
    package static let maximumNames = 16_384

    /// 16 lower hexadecimal digits, the same for the same names in the same order.
    package var set: String
    /// At least one, e.g. `host.cpu.user`, `docker/svc-1.memory.used`.
    package var names: [String]

    package init(set: String, names: [String]) {
        self.set = set
        self.names = names
    }

    /// With the set's id worked out from the names.
    package init(names: [String]) {
        self.init(set: Self.identity(of: names), names: names)
    }

    /// FNV-1a of 64 bits over the names, each followed by a newline.
    package static func identity(of names: [String]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for name in names {
            name.utf8.forEach(mix)
            mix(0x0A)
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        set = try fields.seriesSet("set")
        let names = try fields.names("names", limit: 256)
        guard !names.isEmpty else { throw FieldError(path: "names", problem: .value(expected: "at least one name")) }
        guard names.count <= Self.maximumNames else {
            throw FieldError(path: "names", problem: .tooMany(limit: Self.maximumNames))
        }
        self.names = names
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("set", set)
        fields.put("names", names)
    }
}

extension JSONObject {
    func seriesSet(_ key: String) throws(FieldError) -> String {
        let set = try string(key)
        guard set.utf8.count == 16, set.utf8.allSatisfy(isLowerHexadecimal) else {
            throw FieldError(path: key, problem: .value(expected: "16 lower hexadecimal digits"))
        }
        return set
    }
}

func isLowerHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
}
