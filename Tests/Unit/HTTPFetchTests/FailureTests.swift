import HTTPFetch
import TestSupport
import Testing

@Suite struct FailureTests {
    let client = HTTPClient()

    func failure(_ request: HTTPRequest) async -> HTTPError? {
        await #expect(throws: HTTPError.self) { try await client.send(request) }
    }

    @Test(arguments: [
        ("the length is not reached", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        ("the last chunk is missing", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
        ("a chunk is cut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf"),
        ("the head is cut", "HTTP/1.1 200 OK\r\nContent-Le"),
        ("there is no answer at all", ""),
    ])
    func `a truncated response is an error and may be tried again`(what: String, text: String) async throws {
        let server = try ScriptedServer { _ in [.text(text), .close] }
        let error = await failure(HTTPRequest("GET", server.url))
        #expect(error?.kind == .disconnected)
        #expect(error?.isRetryable == true)
    }

    @Test func `a reset in the middle is an error`() async throws {
        let server = try ScriptedServer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), .reset] }
        #expect(await failure(HTTPRequest("GET", server.url))?.kind == .disconnected)
    }

    @Test(arguments: ["SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])
    func `what is not HTTP is malformed`(text: String) async throws {
        let server = try ScriptedServer { _ in [.text(text), .close] }
        let error = await failure(HTTPRequest("GET", server.url))
        #expect([.malformedResponse, .disconnected].contains(error?.kind))
        #expect(error?.kind == .malformedResponse || text.contains("chunked"))
    }

    @Test(arguments: [1, 2000])
    func `header fields are bounded, in one line or many`(lines: Int) async throws {
        let field = "X-Long: " + String(repeating: "a", count: 200_000 / lines) + "\r\n"
        let server = try ScriptedServer { _ in
            [.text("HTTP/1.1 200 OK\r\n" + String(repeating: field, count: lines) + "\r\n"), .close]
        }
        #expect(await failure(HTTPRequest("GET", server.url))?.kind == .responseTooLarge)
    }

    @Test func `a body beyond the limit is refused and its transfer broken off`() async throws {
        let server = try ScriptedServer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"), .flood(1 << 30)]
        }
        var request = HTTPRequest("GET", server.url)
        request.maximumResponseBytes = 100_000
        let error = await failure(request)
        #expect(error?.kind == .responseTooLarge)
        #expect(error?.isRetryable == false)
        #expect(await eventually { server.hangups == 1 })
    }

    @Test func `nobody listening is unreachable`() async throws {
        let server = try ScriptedServer { _ in [] }
        server.stop()
        let error = await failure(HTTPRequest("GET", server.url))
        #expect(error?.kind == .unreachable)
        #expect(error?.cause == "Connection refused")
        #expect(error?.mayHaveArrived == false)
    }

    @Test func `a missing UNIX socket is unreachable`() async throws {
        let error = await failure(HTTPRequest("GET", "http://engine/", unixSocket: "/nonexistent/engine.sock"))
        #expect(error?.kind == .unreachable)
        #expect(error?.cause == "No such file or directory")
    }

    @Test func `an unknown name is unresolved`() async throws {
        let error = await failure(HTTPRequest("GET", "http://name.invalid/"))
        #expect(error?.kind == .unresolved)
    }

    @Test(arguments: [
        "ftp://host/", "file:///etc/passwd", "http://user:pw@host/", "host/path", "http://host/a b",
        "http://host/\r\nX: y", "",
    ])
    func `a URL that is not ours is refused before anything is sent`(url: String) async {
        let error = await failure(HTTPRequest("GET", url))
        #expect(error?.kind == .invalidRequest)
        #expect(error?.description.contains("pw") == false)
    }

    @Test(arguments: [("X-A\r\nX-B", "v"), ("X A", "v"), ("", "v"), ("X-A", "v\r\nX-B: w"), ("X-A", "v\0")])
    func `header fields cannot smuggle others`(name: String, value: String) async {
        #expect(
            await failure(HTTPRequest("GET", "http://127.0.0.1:1/", headers: [name: value]))?.kind == .invalidRequest)
        #expect(await failure(HTTPRequest("GE T", "http://127.0.0.1:1/"))?.kind == .invalidRequest)
    }

    @Test func `errors quote neither header fields nor the query`() async throws {
        let server = try ScriptedServer { _ in [.text("nonsense\r\n"), .close] }
        let request = HTTPRequest("GET", "\(server.url)/path?token=s3cret", headers: ["Authorization": "Bearer s3cret"])
        let error = await failure(request)
        #expect(error.map { "\($0)" }?.contains("s3cret") == false)
        #expect(error?.subject == "GET \(server.url)/path")
    }
}
