import Testing

@testable import Transport

@Suite struct KeyringTests {
    private let place = Array("plans\u{0}spec\u{0}web".utf8)

    @Test(arguments: [0, 1, 15, 16, 17, 4096, 300_000])
    func `what was sealed opens in its place`(count: Int) throws {
        let ring = Keyring.generate()
        let clear = Crypto.randomBytes(count)
        #expect(try ring.open(ring.seal(clear, for: place), for: place) == clear)
    }

    @Test func `the same text is never sealed to the same twice`() throws {
        let ring = Keyring.generate()
        let sealed = try (0..<50).map { _ in try ring.seal([1, 2, 3], for: place) }
        #expect(Set(sealed).count == 50)
    }

    @Test func `it opens in no other place, with no other key, and with no byte changed`() throws {
        let ring = Keyring.generate()
        let sealed = try ring.seal(Array("a password".utf8), for: place)
        #expect(throws: CryptoError.self) { try ring.open(sealed, for: place + [0]) }
        #expect(throws: CryptoError.self) { try Keyring.generate().open(sealed, for: place) }
        let body = try #require(Crypto.bytes(base64url: sealed.dropFirst(9)))
        for index in body.indices {
            var other = body
            other[index] ^= 0x10
            let text = "\(ring.current).\(Crypto.base64url(other))"
            #expect(throws: CryptoError.self) { try ring.open(text, for: place) }
        }
        for text in ["", ".", "\(ring.current).", "\(ring.current).AAAA", String(sealed.dropLast(2)), "x\(sealed)"] {
            #expect(throws: CryptoError.self) { try ring.open(text, for: place) }
        }
    }

    @Test func `a renewed ring opens what the old one sealed, and seals under the new key`() throws {
        let old = Keyring.generate()
        let sealed = try old.seal([7], for: place)
        let new = try Keyring(text: old.renewed().text)
        #expect(new.current != old.current && new.hasOld)
        #expect(try new.open(sealed, for: place) == [7])
        #expect(throws: CryptoError.self) { try old.open(new.seal([7], for: place), for: place) }
        #expect(throws: CryptoError.self) { try new.withoutOld().open(sealed, for: place) }
        #expect(!new.withoutOld().hasOld)
    }

    @Test(arguments: ["", "abc", "0011aabb 00", "0011aabb", "0011aabb zz\n", "0011aabb  \n\n"])
    func `a file that holds no keys is refused`(text: String) {
        #expect(throws: CryptoError.self) { try Keyring(text: text) }
    }
}
