/// The row under the cursor of an answer. Each call takes the next column, in the order of the SELECT list, and throws
/// `mismatch` when the stored value has another type: a damaged or foreign row is an error, never a default.
package protocol SQLRow {
    mutating func optionalInteger() throws(SQLError) -> Int64?
    /// An integer is a number as well.
    mutating func optionalReal() throws(SQLError) -> Double?
    mutating func optionalText() throws(SQLError) -> String?
    mutating func optionalBlob() throws(SQLError) -> [UInt8]?
    /// The error that says that the column which was taken last holds none of `wanted`.
    func mismatch(_ wanted: String) -> SQLError
}

extension SQLRow {
    package mutating func integer() throws(SQLError) -> Int64 {
        guard let value = try optionalInteger() else { throw mismatch("an integer") }
        return value
    }

    package mutating func int() throws(SQLError) -> Int { Int(try integer()) }

    package mutating func real() throws(SQLError) -> Double {
        guard let value = try optionalReal() else { throw mismatch("a number") }
        return value
    }

    package mutating func text() throws(SQLError) -> String {
        guard let value = try optionalText() else { throw mismatch("text") }
        return value
    }

    package mutating func blob() throws(SQLError) -> [UInt8] {
        guard let value = try optionalBlob() else { throw mismatch("bytes") }
        return value
    }

    /// 0 is false, any other integer is true.
    package mutating func bool() throws(SQLError) -> Bool { try integer() != 0 }
}
