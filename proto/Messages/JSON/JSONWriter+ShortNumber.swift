extension JSONWriter {
    /// A double where the reader knows that it is one: whole values go without `.0`.
    ///
    /// Most figures of a machine are whole or have up to three decimals. Those take a short way to the same digits that
    /// `description` would find: a decimal of at most 15 digits that divides back to the value is its shortest form.
    mutating func shortNumber(_ value: Double) {
        let magnitude = value.magnitude
        guard magnitude < 1e12 else { return longNumber(value) }
        let whole = Int64(value)
        if Double(whole) == value { return integer(whole) }
        let thousandths = Int64(magnitude * 1000 + 0.5)
        guard magnitude >= 0.001, Double(thousandths) / 1000 == magnitude else { return longNumber(value) }
        if value < 0 { open(0x2D) }
        decimal(thousandths)
    }

    private mutating func decimal(_ thousandths: Int64) {
        let (whole, rest) = thousandths.quotientAndRemainder(dividingBy: 1000)
        integer(whole)
        open(0x2E)
        let digits = (UInt8(rest / 100), UInt8(rest / 10 % 10), UInt8(rest % 10))
        open(0x30 + digits.0)
        if digits.1 != 0 || digits.2 != 0 { open(0x30 + digits.1) }
        if digits.2 != 0 { open(0x30 + digits.2) }
    }

    private mutating func longNumber(_ value: Double) {
        let text = value.description
        raw(number: text.hasSuffix(".0") ? text.dropLast(2).utf8 : text[...].utf8, finite: value.isFinite)
    }
}
