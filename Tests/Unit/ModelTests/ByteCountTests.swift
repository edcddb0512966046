import Model
import Testing

@Suite struct `Byte counts` {
    @Test(
        arguments: [
            ("0", 0), ("1048576", 1_048_576), ("512MiB", 536_870_912), ("512 mib", 536_870_912), ("2G", 2_147_483_648),
            ("2g", 2_147_483_648), ("1.5TiB", 1_649_267_441_664), ("0.5k", 512), ("500MB", 500_000_000), ("1kb", 1000),
            ("7b", 7),
            ("1.25GiB", 1_342_177_280), ("8191PiB", 9_222_246_136_947_933_184), ("9223372036854775807", .max),
        ] as [(String, Int64)])
    func `a size is read`(text: String, bytes: Int64) throws {
        #expect(try ByteCount(parsing: text).bytes == bytes)
    }

    @Test(arguments: [
        "", " ", "-1", "+1", "G", "1.5", "1.", ".5G", "1..5G", "1.0001G", "0.001k", "1X", "1 G B", "8192PiB",
        "9223372036854775808",
        "１G", "1e3", "0x10", "1G\u{0}", "NaN", "1,5G",
    ])
    func `what is no size is refused, and the error names it`(text: String) throws {
        let error = #expect(throws: GrammarError.self) { try ByteCount(parsing: text) }
        #expect(error?.field == "size")
    }

    @Test(arguments: [0, 1, 1000, 1023, 1024, 1536, 1 << 20, 3 << 30, 5 << 40, 1 << 62, .max] as [Int64])
    func `the exact text reads back`(bytes: Int64) throws {
        let count = try #require(ByteCount(bytes))
        #expect(try ByteCount(parsing: count.description) == count)
    }

    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1_048_575, "1023.9 KiB"),
            (536_870_912, "512.0 MiB"),
            (.max, "8191.9 PiB"),
        ] as [(Int64, String)])
    func `the text for people has one decimal`(bytes: Int64, text: String) {
        #expect(ByteCount(bytes)?.rounded == text)
    }

    @Test func `none is negative`() { #expect(ByteCount(-1) == nil) }
}
