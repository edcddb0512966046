import Model
import Testing

@Suite struct `An address` {
    @Test(
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("2001:db8::1", "2001:db8::1"), ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"), ("::", "::"), ("::1", "::1"),
            ("2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"), ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
            ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"), ("::ffff:192.0.2.1", "::ffff:c000:201"), ("fe80::", "fe80::"),
        ])
    func `has one text`(_ text: String, _ canonical: String) {
        #expect(IPAddress(text).map { "\($0)" } == canonical)
        #expect(IPAddress(canonical) == IPAddress(text))
    }

    @Test(
        arguments: [
            "", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1.", "+1.0.0.0", "192.0.2.1/24", "1:2:3:4:5:6:7",
            ":::",
            "1::2::3", "1:2:3:4:5:6:7:8:9", "::12345", "1:2:3:4:5:6:7::8:9", ":1::", "fe80::1%eth0", "::+1",
            "1.2.3.4::",
            " ::1", "1:2:3:4:5:6:7:8::",
        ])
    func `is refused where it is none`(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test func `of a network leaves no bit behind the length`() throws {
        #expect(IPPrefix("192.0.2.1/24") == nil)
        #expect(IPPrefix("192.0.2.0/33") == nil)
        #expect(IPPrefix("192.0.2.0/+4") == nil)
        #expect(IPPrefix("2001:db8::/129") == nil)
        let four = try #require(IPPrefix("192.0.2.0/24"))
        #expect("\(four.range)" == "192.0.2.0-192.0.2.255")
        #expect(four.special.map { "\($0)" } == ["192.0.2.0", "192.0.2.255"])
        #expect(IPPrefix("192.0.2.0/31")?.special == [])
        #expect(IPPrefix("2001:db8::/64")?.special.map { "\($0)" } == ["2001:db8::"])
        #expect(IPPrefix("::/0").map { "\($0.last)" } == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    }

    @Test func `ranges are in order and of one family`() {
        #expect(IPRange("192.0.2.1-192.0.2.9").map { "\($0)" } == "192.0.2.1-192.0.2.9")
        #expect(IPRange("192.0.2.1").map { "\($0)" } == "192.0.2.1")
        #expect(IPRange("192.0.2.0/30").map { "\($0)" } == "192.0.2.0-192.0.2.3")
        for text in ["192.0.2.9-192.0.2.1", "192.0.2.1-::1", "-", "192.0.2.1-", ""] { #expect(IPRange(text) == nil) }
    }
}

@Suite struct `An Ethernet address` {
    @Test func `follows from the device, is locally administered, and another attempt is another one`() throws {
        let prefix = try #require(MACPrefix("0A:00:5e"))
        let first = prefix.address(for: "svc_1/lan")
        #expect(prefix.address(for: "svc_1/lan") == first)
        #expect("\(first)".hasPrefix("0a:00:5e:"))
        #expect(MACAddress("\(first)") == first)
        #expect(Set((0..<64).map { prefix.address(for: "svc_1/lan", attempt: $0) }).count > 60)
        let many = Set((0..<2000).map { prefix.address(for: "svc_\($0)") })
        #expect(many.count > 1990)
    }

    @Test(arguments: ["00:00:5e", "03:00:5e", "02:00", "02:00:5e:00", "2:0:5e", "02:00:5g", "+2:00:5e", ""])
    func `has no beginning that another device could have`(_ text: String) { #expect(MACPrefix(text) == nil) }
}
