import HTTPFetch
import Synchronization
import TestSupport
import Testing

@Suite struct StreamingTests {
    let client = HTTPClient()

    @Test func `a slow reader makes the server wait, and loses nothing`() async throws {
        let size = 32 << 20
        let server = try ScriptedServer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"), .flood(size)]
        }
        let stream = try await client.stream(HTTPRequest("GET", server.url))
        // The server gets no further than the sockets' buffers reach: wait until it stands still.
        var before = -1
        while before != server.written {
            before = server.written
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(before < size / 2)
        var total = 0
        for try await chunk in stream {
            #expect(chunk.count <= 64 << 10)
            total += chunk.count
        }
        #expect(total == size)
    }

    @Test func `cancelling the reading task ends the transfer`() async throws {
        let server = try ScriptedServer { _ in [.text("HTTP/1.1 200 OK\r\n\r\nfirst"), .hold] }
        let hasFirst = Mutex(false)
        let reading = Task {
            for try await _ in try await client.stream(HTTPRequest("GET", server.url)) {
                hasFirst.withLock { $0 = true }
            }
        }
        #expect(await eventually { hasFirst.withLock { $0 } })
        reading.cancel()
        let error = await #expect(throws: HTTPError.self) { try await reading.value }
        #expect(error?.kind == .cancelled)
        #expect(await eventually { server.hangups == 1 })
    }

    @Test func `cancelling while the response is awaited ends the transfer`() async throws {
        let server = try ScriptedServer { _ in [.hold] }
        let sending = Task { try await client.send(HTTPRequest("GET", server.url)) }
        #expect(await eventually { server.requests.count == 1 })
        sending.cancel()
        let error = await #expect(throws: HTTPError.self) { try await sending.value }
        #expect(error?.kind == .cancelled)
        #expect(await eventually { server.hangups == 1 })
    }

    @Test func `a task that is cancelled already sends nothing that lasts`() async throws {
        let server = try ScriptedServer { _ in [.hold] }
        let sending = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.send(HTTPRequest("GET", server.url))
        }
        let error = await #expect(throws: HTTPError.self) { try await sending.value }
        #expect(error?.kind == .cancelled)
        #expect(await eventually { server.hangups == server.accepted })
    }

    @Test func `a stream that is dropped ends its transfer`() async throws {
        let server = try ScriptedServer { _ in [.text("HTTP/1.1 200 OK\r\n\r\nfirst"), .hold] }
        do {
            for try await _ in try await client.stream(HTTPRequest("GET", server.url)) { break }
        }
        #expect(await eventually { server.hangups == 1 })
    }

    @Test func `a child process does not inherit the connection`() async throws {
        let folder = try ScratchFolder()
        let server = try ScriptedServer { _ in [.text("HTTP/1.1 200 OK\r\n\r\nfirst"), .hold] }
        let stream = try await client.stream(HTTPRequest("GET", server.url))
        let child = try BackgroundProgram("sleep", ["600"], log: folder.file("log"))
        for try await _ in stream { break }
        let reading = Task { for try await _ in stream {} }
        reading.cancel()
        _ = await reading.result
        #expect(await eventually { server.hangups == 1 })
        await child.stop()
    }

    @Test func `a stream outlives the client it came from`() async throws {
        let server = try ScriptedServer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"), .gate, .text("half")]
        }
        let stream = try await HTTPClient().stream(HTTPRequest("GET", server.url))
        server.release()
        var body: [UInt8] = []
        for try await chunk in stream { body += chunk }
        #expect(body == Array("halfhalf".utf8))
    }

    @Test func `a file is uploaded in pieces`() async throws {
        let folder = try ScratchFolder()
        let content = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let path = try folder.write(content, to: "upload")
        let server = try ScriptedServer { request in [.respond(200, "\(request.body.count)")] }
        let response = try await client.send(HTTPRequest("POST", server.url, body: .file(path)))
        #expect(response.body == Array("1000000".utf8))
        #expect(server.requests.first?.isChunked == true)
        #expect(server.requests.first?.body == content)
    }

    @Test func `a missing file is known before anything is sent`() throws {
        let error = #expect(throws: HTTPError.self) { try HTTPBody.file("/nonexistent/file") }
        #expect(error?.kind == .body)
        #expect(error?.description == "/nonexistent/file: No such file or directory")
    }

    @Test func `a body that breaks off does not look whole to the server`() async throws {
        let server = try ScriptedServer { _ in [.respond(200, "")] }
        let pieces = Mutex(2)
        let body = HTTPBody.stream(length: nil) {
            let left = pieces.withLock { pieces in
                pieces -= 1
                return pieces
            }
            if left < 0 { throw SetupFailure("the disk is gone") }
            return Array("piece".utf8)
        }
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest("POST", server.url, body: body))
        }
        #expect(error?.kind == .body)
        #expect(server.requests.isEmpty)
    }

    @Test func `a slow body waits without being taken for a stall`() async throws {
        let server = try ScriptedServer { request in [.respond(200, "\(request.body.count)")] }
        let pieces = Mutex(3)
        let body = HTTPBody.stream(length: 15) {
            try await Task.sleep(for: .milliseconds(400))
            let left = pieces.withLock { pieces in
                pieces -= 1
                return pieces
            }
            return left < 0 ? nil : Array("piece".utf8)
        }
        var request = HTTPRequest("POST", server.url, body: body)
        request.idleTimeout = .milliseconds(300)
        #expect(try await client.send(request).body == Array("15".utf8))
        #expect(server.requests.first?.isChunked == false)
    }

    @Test func `an upload that the server refuses early ends with its answer`() async throws {
        let folder = try ScratchFolder()
        let server = try ScriptedServer(readingBodies: false) { _ in
            [.text("HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), .hold]
        }
        let path = try folder.write([UInt8](repeating: 1, count: 8 << 20), to: "upload")
        let response = try await client.send(HTTPRequest("POST", server.url, body: .file(path)))
        #expect(response.status == 413)
    }

    @Test func `cancelling an upload stops the reading of its body`() async throws {
        let server = try ScriptedServer { _ in [.hold] }
        let isCancelled = Mutex(false)
        let body = HTTPBody.stream(length: nil) {
            do { try await Task.sleep(for: .seconds(600)) } catch {
                isCancelled.withLock { $0 = true }
                throw error
            }
            return nil
        }
        let sending = Task { try await client.send(HTTPRequest("POST", server.url, body: body)) }
        #expect(await eventually { server.accepted == 1 })
        sending.cancel()
        _ = await sending.result
        #expect(await eventually { isCancelled.withLock { $0 } })
    }
}
