import Testing

@testable import HostDriver

@Suite struct ParsingTests {
    func scan<Result>(_ text: String, _ body: (inout ByteScanner) -> Result) -> Result {
        Array(text.utf8).withUnsafeBytes { bytes in
            var scanner = ByteScanner(bytes)
            return body(&scanner)
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("  42 x", 42), ("\t7", 7), ("18446744073709551615", .max), ("18446744073709551616", nil),
            ("", nil),
            ("-1", nil), ("x", nil), ("\n5", nil),
        ] as [(String, UInt64?)])
    func `whole numbers are read up to the largest`(_ text: String, _ number: UInt64?) {
        #expect(scan(text) { $0.number() } == number)
    }

    @Test(
        arguments: [
            ("0.25", 0.25), ("12", 12), ("3.", 3), ("1.05 2", 1.05), (".5", nil), ("2.x", 2), ("100.00", 100),
        ] as [(String, Double?)])
    func `decimals are read with and without a fraction`(_ text: String, _ number: Double?) {
        #expect(scan(text) { $0.decimal() } == number)
    }

    @Test func `a key is found only at the start of a line and as a whole`() {
        let text = "inactive_file_x 1\nx inactive_file 2\ninactive_file 3\n"
        #expect(scan(text) { $0.value(of: "inactive_file") } == 3)
        #expect(scan(text) { $0.value(of: "active") } == nil)
        #expect(scan(text) { scanner in (scanner.value(of: "missing"), scanner.value(of: "inactive_file")).1 } == 3)
    }

    @Test(
        arguments: [
            ("/dev/vda1 / ext4 rw 0 0", "/"), ("/dev/sda1 /my\\040disk xfs rw 0 0", "/my disk"),
            ("/dev/sda1 /odd\\0 xfs rw 0 0", "/odd\\0"), ("tank/a /tank/a zfs rw 0 0", nil),
            ("server:/x /mnt nfs rw 0 0", nil), ("/dev/loop3 /snap squashfs ro 0 0", nil), ("", nil), ("/dev/sda", nil),
        ] as [(String, String?)])
    func `only mounts of disks count, by their real names`(_ line: String, _ path: String?) {
        #expect(scan(line) { MountFigures(line: &$0) }?.path == path)
    }
}
