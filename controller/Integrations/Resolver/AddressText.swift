import Model

enum AddressText {
    /// Of the data of an A or AAAA record; nil where its length is another one.
    static func text(_ data: UnsafeBufferPointer<UInt8>, _ family: IPAddress.Family) -> String? {
        guard data.count == family.bits / 8 else { return nil }
        return IPAddress(family, data.reduce(0) { $0 << 8 | UInt128($1) }).map { "\($0)" }
    }
}
