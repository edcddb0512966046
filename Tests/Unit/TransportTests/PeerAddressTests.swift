import NIOCore
import Testing

@testable import Transport

@Suite struct PeerAddressTests {
    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8::1", "2001:db8::1"),
        ("::1", "::1"),
    ])
    func `an address has one form, without its port`(given: String, plain: String) throws {
        #expect(try SocketAddress(ipAddress: given, port: 4711).plainAddress == plain)
    }

    @Test func `what one host has counts as one`() throws {
        func network(_ address: String) throws -> String { try SocketAddress(ipAddress: address, port: 1).network }
        #expect(try network("192.0.2.7") == network("::ffff:192.0.2.7"))
        #expect(try network("192.0.2.7") != network("192.0.2.8"))
        #expect(try network("2001:db8::1") == network("2001:db8::ffff:1"))
        #expect(try network("2001:db8::1") != network("2001:db8:0:1::1"))
    }
}
