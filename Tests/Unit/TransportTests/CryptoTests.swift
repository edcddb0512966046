import Testing
import Transport

@Suite struct `The cryptographic functions` {
    @Test func `agree with the published vectors`() throws {
        #expect(
            Crypto.hex(Crypto.sha256("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Crypto.hex(Crypto.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        // RFC 4231, case 2.
        #expect(
            Crypto.hex(Crypto.hmacSHA256(key: Array("Jefe".utf8), "what do ya want for nothing?".utf8))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        // RFC 7914, section 12.
        let key = try Crypto.scrypt(
            password: Array("password".utf8), salt: Array("NaCl".utf8), n: 1024, r: 8, p: 16, count: 64)
        #expect(
            Crypto.hex(key) == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")
        let empty = try Crypto.scrypt(password: [], salt: [], n: 16, r: 1, p: 1, count: 8)
        #expect(Crypto.hex(empty) == "77d6576238657b20")
    }

    @Test func `refuse a cost for scrypt that makes no sense`() {
        #expect(throws: CryptoError.self) { try Crypto.scrypt(password: [1], salt: [2], n: 1000) }
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func `write base64url and read it back`(_ plain: String, _ encoded: String) {
        #expect(Crypto.base64url(Array(plain.utf8)) == encoded)
        #expect(Crypto.bytes(base64url: encoded) == Array(plain.utf8))
        let padded = encoded + String(repeating: "=", count: (4 - encoded.utf8.count % 4) % 4)
        let usual = padded.replacing("-", with: "+").replacing("_", with: "/")
        #expect(Crypto.base64(Array(plain.utf8)) == usual)
        #expect(Crypto.bytes(base64: usual) == Array(plain.utf8))
    }

    @Test(arguments: ["Z", "Zh", "Zg==", "Zm9v ", "Zm8=", "+/+/", "Zm9vY", "é"])
    func `refuse base64url in any other form`(_ text: String) {
        #expect(Crypto.bytes(base64url: text) == nil)
    }

    @Test func `write and read every byte`() {
        let all = (0...255).map { UInt8($0) }
        #expect(Crypto.bytes(hex: Crypto.hex(all)) == all)
        #expect(Crypto.bytes(base64url: Crypto.base64url(all)) == all)
        #expect(Crypto.bytes(hex: "0") == nil)
        #expect(Crypto.bytes(hex: "0g") == nil)
        #expect(Crypto.bytes(hex: "FFfe") == [255, 254])
    }

    @Test func `compare secrets and draw different ones`() {
        #expect(Crypto.constantTimeEqual([1, 2], [1, 2]))
        #expect(!Crypto.constantTimeEqual([1, 2], [1, 3]))
        #expect(!Crypto.constantTimeEqual([1, 2], [1, 2, 3]))
        #expect(Crypto.constantTimeEqual([], []))
        #expect(Crypto.randomBytes(32) != Crypto.randomBytes(32))
        #expect(Crypto.randomBytes(0).isEmpty)
    }
}
