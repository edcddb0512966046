import Glibc
import TestSupport
import Testing
import Transport

@Suite struct `A join token` {
    let pin = String(repeating: "ab", count: 32)

    @Test func `is read back from its text`() throws {
        let token = try JoinToken.make(id: "tok_01hz-X", caPin: pin)
        let read = try JoinToken(text: token.text)
        #expect(read == token)
        #expect(read.id == "tok_01hz-X")
        #expect(read.caPin == pin)
        #expect(Crypto.bytes(base64url: read.secret)?.count == 32)
        #expect(read.secretHash == JoinToken.hash(ofSecret: token.secret))
    }

    @Test func `keeps its secret out of descriptions`() throws {
        let token = try JoinToken.make(id: "t", caPin: pin)
        var dumped = ""
        dump(token, to: &dumped)
        #expect(!"\(token)".contains(token.secret))
        #expect(!dumped.contains(token.secret))
        let error = #expect(throws: JoinTokenError.self) { try JoinToken(text: token.text + "x") }
        #expect(error?.description.contains(token.secret) == false)
    }

    @Test(arguments: [
        ("", "ikt1"), ("ikt2.a.b.c", "ikt1"), ("ikt1.a.b", "parts"), ("ikt1.a.b.c.d", "parts"),
        ("ikt1..AAAA.AAAA", "id"), ("ikt1.a b.AAAA.AAAA", "id"), ("ikt1.a.AAAA.AAAA", "secret"),
        ("ikt1.a.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.abcd", "pin"),
    ])
    func `that is damaged names the damaged part`(_ text: String, _ part: String) {
        let error = #expect(throws: JoinTokenError.self) { try JoinToken(text: text) }
        #expect(error?.description.contains(part) == true)
    }
}

@Suite struct `A PEM file` {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder("transport") }

    private func mode(of path: String) -> mode_t {
        var status = stat()
        stat(path, &status)
        return status.st_mode & 0o777
    }

    @Test func `is written for its owner only, and replaced whole`() throws {
        let path = folder.file("key.pem")
        try PEMFile.write("first", to: path)
        #expect(mode(of: path) == 0o600)
        try PEMFile.write("second", to: path)
        #expect(try PEMFile.readKey(path) == "second")
        try PEMFile.write("public", to: path, mode: 0o644)
        #expect(mode(of: path) == 0o644)
        #expect(try PEMFile.read(path) == "public")
    }

    @Test(arguments: [0o640, 0o604, 0o644, 0o660] as [mode_t])
    func `that others may read is refused as a key`(_ mode: mode_t) throws {
        let path = folder.file("key.pem")
        try PEMFile.write("secret", to: path)
        chmod(path, mode)
        let error = #expect(throws: PEMFileError.self) { try PEMFile.readKey(path) }
        #expect(error?.description.contains(path) == true)
        #expect(error?.description.contains("mode \(String(mode, radix: 8))") == true)
        #expect(try PEMFile.read(path) == "secret")
    }

    @Test func `that is missing, a folder or endless says so`() throws {
        let missing = #expect(throws: PEMFileError.self) { try PEMFile.readKey("/tmp/no/such/key.pem") }
        #expect(missing?.isMissing == true)
        #expect(throws: PEMFileError.self) { try PEMFile.read(folder.path) }
        #expect(throws: PEMFileError.self) { try PEMFile.read("/dev/zero") }
        #expect(throws: PEMFileError.self) { try PEMFile.write("x", to: "/tmp/no/such/key.pem") }
    }

    @Test func `that cannot be replaced leaves nothing behind`() throws {
        let path = folder.file("sub")
        mkdir(path, 0o700)
        #expect(throws: PEMFileError.self) { try PEMFile.write("x", to: path) }
        rmdir(path)
        #expect(throws: PEMFileError.self) { try PEMFile.read(path) }
        let entries = try #require(opendir(folder.path))
        defer { closedir(entries) }
        var count = 0
        while readdir(entries) != nil { count += 1 }
        #expect(count == 2)
    }
}
