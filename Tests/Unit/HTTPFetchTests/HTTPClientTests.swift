import HTTPFetch
import TestSupport
import Testing

@Suite struct HTTPClientTests {
    let client = HTTPClient()

    @Test func `a response arrives whole, and the request as it was asked for`() async throws {
        let server = try ScriptedServer { _ in
            [.text("HTTP/1.1 201 Made\r\nX-One: a\r\nx-one:  b \r\nContent-Length: 2\r\n\r\nok")]
        }
        var request = HTTPRequest("PUT", "\(server.url)/a/../b?c=d", headers: ["X-Key": "v", "X-Empty": ""])
        request.body = .bytes(Array("body".utf8))
        let response = try await client.send(request)
        #expect(response.status == 201)
        #expect(response.body == Array("ok".utf8))
        #expect(response.headers["X-ONE"] == "a")
        #expect(response.headers.fields.map(\.value) == ["a", "b", "2"])
        let sent = try #require(server.requests.first)
        #expect(sent.line == "PUT /a/../b?c=d HTTP/1.1")
        #expect(sent.body == Array("body".utf8))
        #expect(sent.head.contains("\r\nX-Key: v"))
        #expect(sent.head.contains("\r\nX-Empty:"))
        #expect(sent.head.contains("\r\nContent-Length: 4"))
        #expect(!sent.head.contains("Expect"))
        #expect(!sent.head.contains("Content-Type"))
    }

    @Test(arguments: ["GET", "HEAD", "DELETE", "POST", "PATCH", "OPTIONS"])
    func `a method without a body is sent as such`(method: String) async throws {
        let server = try ScriptedServer { request in
            [
                request.line.hasPrefix("HEAD")
                    ? .text("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n") : .respond(200, "x")
            ]
        }
        let response = try await client.send(HTTPRequest(method, server.url + "/"))
        #expect(response.status == 200)
        #expect(response.body == (method == "HEAD" ? [] : Array("x".utf8)))
        let sent = try #require(server.requests.first)
        #expect(sent.line == "\(method) / HTTP/1.1")
        #expect(sent.body.isEmpty)
        #expect(sent.head.contains("Content-Length: 0") == ["POST", "PATCH"].contains(method))
    }

    @Test func `chunks arrive as they are sent, trailers and interim responses aside`() async throws {
        let server = try ScriptedServer { _ in
            [
                .text(
                    "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                ),
                .text("3\r\none\r\n"), .gate, .text("3\r\ntwo\r\n"), .text("0\r\nX-Trailer: 1\r\n\r\n"),
            ]
        }
        let stream = try await client.stream(HTTPRequest("GET", server.url))
        #expect(stream.status == 200)
        #expect(stream.headers["X-Interim"] == nil)
        let body = stream.makeAsyncIterator()
        #expect(try await body.next() == Array("one".utf8))
        server.release()
        #expect(try await body.next() == Array("two".utf8))
        #expect(try await body.next() == nil)
        #expect(try await body.next() == nil)
    }

    @Test func `a body that ends with the connection is whole`() async throws {
        let server = try ScriptedServer { _ in [.text("HTTP/1.1 200 OK\r\n\r\nall of it"), .close] }
        #expect(try await client.send(HTTPRequest("GET", server.url)).body == Array("all of it".utf8))
    }

    @Test func `redirects are handed back, not followed`() async throws {
        let server = try ScriptedServer { _ in
            [.text("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")]
        }
        let response = try await client.send(HTTPRequest("GET", server.url))
        #expect(response.status == 302)
        #expect(response.headers["location"] == "/elsewhere")
        #expect(server.requests.count == 1)
    }

    @Test func `a UNIX socket serves as the way in`() async throws {
        let folder = try ScratchFolder()
        let server = try ScriptedServer(unixSocket: folder.file("s.sock")) { _ in [.respond(200, "through the socket")]
        }
        let request = HTTPRequest("GET", "http://engine/version", unixSocket: server.path)
        #expect(try await client.send(request).body == Array("through the socket".utf8))
        #expect(server.requests.first?.head.contains("Host: engine") == true)
    }

    @Test func `many requests run at once and come back to their askers`() async throws {
        let server = try ScriptedServer { request in [.respond(200, String(request.line.split(separator: " ")[1]))] }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let response = try await client.send(HTTPRequest("GET", "\(server.url)/\(number)"))
                    #expect(response.body == Array("/\(number)".utf8))
                }
            }
            try await group.waitForAll()
        }
        #expect(server.requests.count == 100)
    }

    @Test func `what may change something goes out on a connection of its own`() async throws {
        let server = try ScriptedServer { _ in [.respond(200, "")] }
        for method in ["GET", "GET", "POST", "POST", "DELETE"] {
            _ = try await client.send(HTTPRequest(method, server.url))
        }
        #expect(server.accepted == 4)
    }

    @Test func `a POST whose connection dies is not sent twice`() async throws {
        let server = try ScriptedServer { request in request.line.hasPrefix("GET") ? [.respond(200, "")] : [.close] }
        _ = try await client.send(HTTPRequest("GET", server.url))
        let error = await #expect(throws: HTTPError.self) { try await client.send(HTTPRequest("POST", server.url)) }
        #expect(error?.kind == .disconnected)
        #expect(error?.mayHaveArrived == true)
        #expect(server.requests.count == 2)
    }
}
