/// Grammars of the link that many messages share.
extension JSONObject {
    /// An id: 1 to 128 letters, digits, `_ - . :`, beginning with a letter or digit.
    func id(_ key: String) throws(FieldError) -> String {
        guard let id = try optionalID(key) else { throw FieldError(path: key, problem: .missing) }
        return id
    }

    func optionalID(_ key: String) throws(FieldError) -> String? {
        guard let text = try optionalString(key) else { return nil }
        guard isID(text) else { throw FieldError(path: key, problem: .value(expected: idExpectation)) }
        return text
    }

    func ids(_ key: String) throws(FieldError) -> [String] {
        let ids = try strings(key)
        for (index, id) in ids.enumerated() where !isID(id) {
            throw FieldError(path: "\(key)[\(index)]", problem: .value(expected: idExpectation))
        }
        return ids
    }

    /// A text of 1 to `limit` bytes without control characters: a name, a version, a resource.
    func name(_ key: String, limit: Int = 512) throws(FieldError) -> String {
        guard let name = try optionalName(key, limit: limit) else { throw FieldError(path: key, problem: .missing) }
        return name
    }

    func optionalName(_ key: String, limit: Int = 512) throws(FieldError) -> String? {
        guard let text = try optionalString(key) else { return nil }
        guard isName(text, limit: limit) else { throw FieldError(path: key, problem: nameProblem(limit)) }
        return text
    }

    func names(_ key: String, limit: Int = 512) throws(FieldError) -> [String] {
        let names = try strings(key)
        for (index, name) in names.enumerated() where !isName(name, limit: limit) {
            throw FieldError(path: "\(key)[\(index)]", problem: nameProblem(limit))
        }
        return names
    }

    /// A count, a position or a time in milliseconds since 1970: never negative.
    func natural(_ key: String) throws(FieldError) -> Int64 { try integer(key, in: 0...Int64.max) }
    func optionalNatural(_ key: String) throws(FieldError) -> Int64? { try optionalInteger(key, in: 0...Int64.max) }

    /// An interval in milliseconds: from 1 ms to a year, so that adding it to a time cannot overflow.
    func interval(_ key: String) throws(FieldError) -> Int64 { try integer(key, in: 1...31_622_400_000) }
}

private let idExpectation = "1 to 128 letters, digits, _, -, . and :, beginning with a letter or digit"

private func nameProblem(_ limit: Int) -> FieldError.Problem {
    .value(expected: "1 to \(limit) bytes without control characters")
}

private func isID(_ text: String) -> Bool {
    let utf8 = text.utf8
    guard let first = utf8.first, utf8.count <= 128, isAlphanumeric(first) else { return false }
    return utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E || $0 == 0x3A }
}

private func isName(_ text: String, limit: Int) -> Bool {
    let utf8 = text.utf8
    return (1...limit).contains(utf8.count) && utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
}
