import Model
import Testing

@Suite struct `Timestamps` {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_785_585_600_123, "2026-08-01T12:00:00.123Z"), (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func `a time has one text and reads back`(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).iso8601 == text)
        #expect(Timestamp(iso8601: text) == Timestamp(milliseconds: milliseconds))
    }

    @Test(arguments: [
        ("2026-08-01T12:00:00Z", "2026-08-01T12:00:00.000Z"), ("2026-08-01T12:00:00.5Z", "2026-08-01T12:00:00.500Z"),
        ("2026-08-01T12:00:00.123456789Z", "2026-08-01T12:00:00.123Z"),
        ("2026-08-01t12:00:00z", "2026-08-01T12:00:00.000Z"),
        ("2026-08-01T12:00:00+02:00", "2026-08-01T10:00:00.000Z"),
        ("2026-01-01T00:00:00-00:30", "2026-01-01T00:30:00.000Z"),
    ])
    func `other forms of the standard are read`(text: String, canonical: String) {
        #expect(Timestamp(iso8601: text)?.iso8601 == canonical)
    }

    @Test(arguments: [
        "", "2026", "2026-08-01", "2026-08-01T12:00:00", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00+2:00",
        "2026-01-01T00:00:00Z ", "2026-1-1T00:00:00Z", "+026-01-01T00:00:00Z", "2026-01-01 00:00:00Z",
        "２026-01-01T00:00:00Z",
        "2026-01-01T00:00:00+24:00",
    ])
    func `what is no time is refused`(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }

    @Test func `every day until 2101 follows the one before it and reads back`() {
        var previous = "1969-12-31"
        var wrong: [String] = []
        for day in Int64(0)..<47_847 {
            let time = Timestamp(milliseconds: day * 86_400_000)
            let date = String(time.iso8601.prefix(10))
            if date <= previous || Timestamp(iso8601: time.iso8601) != time { wrong.append(date) }
            previous = date
        }
        #expect(wrong.isEmpty)
        #expect(previous == "2100-12-31")
    }

    @Test func `arithmetic stops at the ends of time`() {
        let last = Timestamp(milliseconds: .max)
        let first = Timestamp(milliseconds: .min)
        #expect(last + .seconds(1) == last)
        #expect(first - .seconds(1) == first)
        #expect(last - first == .milliseconds(Int64.max))
        #expect(first - last == .milliseconds(Int64.min))
        #expect(Timestamp(milliseconds: 5) + .seconds(Int64.max) == last)
        #expect(!last.iso8601.isEmpty && !first.iso8601.isEmpty)
    }

    @Test func `intervals count whole milliseconds`() {
        #expect(Timestamp(milliseconds: 1000) + .microseconds(1999) == Timestamp(milliseconds: 1001))
        #expect(Timestamp(milliseconds: 1000) - .seconds(2) == Timestamp(milliseconds: -1000))
        #expect(Timestamp(milliseconds: 3) - Timestamp(milliseconds: 5) == .milliseconds(-2))
        #expect(Duration.milliseconds(-1).wholeMilliseconds == -1)
    }

    @Test func `now is in this century`() {
        let now = Timestamp.now()
        #expect(now > Timestamp(milliseconds: 1_700_000_000_000) && now < Timestamp(milliseconds: 4_000_000_000_000))
    }
}
