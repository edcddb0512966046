import HTTPFetch
import TestSupport
import Testing

@Suite struct TimeLimitTests {
    let client = HTTPClient()

    func failure(_ request: HTTPRequest) async -> HTTPError? {
        await #expect(throws: HTTPError.self) { try await client.send(request) }
    }

    @Test func `a server that never answers runs into the head limit`() async throws {
        let server = try ScriptedServer { _ in [.hold] }
        var request = HTTPRequest("GET", server.url)
        request.timeout = nil
        request.headTimeout = .milliseconds(300)
        let error = await failure(request)
        #expect(error?.kind == .timedOut(.head))
        #expect(error?.isRetryable == true)
        #expect(await eventually { server.hangups == 1 })
    }

    @Test func `a body that stalls runs into the idle limit`() async throws {
        let server = try ScriptedServer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), .hold] }
        var request = HTTPRequest("GET", server.url)
        request.timeout = nil
        request.idleTimeout = .milliseconds(300)
        #expect(await failure(request)?.kind == .timedOut(.idle))
        #expect(await eventually { server.hangups == 1 })
    }

    @Test func `a body that trickles runs into the total limit`() async throws {
        let server = try ScriptedServer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), .gate, .text("x"), .hold]
        }
        var request = HTTPRequest("GET", server.url)
        request.timeout = .milliseconds(500)
        request.idleTimeout = .seconds(60)
        server.release()
        #expect(await failure(request)?.kind == .timedOut(.total))
    }

    @Test func `a TLS handshake that nobody answers runs into the connect limit`() async throws {
        let server = try ScriptedServer { _ in [.hold] }
        var request = HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")
        request.connectTimeout = .milliseconds(300)
        let error = await failure(request)
        #expect(error?.kind == .timedOut(.connect))
        #expect(error?.mayHaveArrived == false)
    }

    @Test func `a reader that takes its time is not a stall`() async throws {
        let server = try ScriptedServer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"), .flood(1 << 20)]
        }
        var request = HTTPRequest("GET", server.url)
        request.idleTimeout = .milliseconds(300)
        let stream = try await client.stream(request)
        var total = 0
        for try await chunk in stream {
            if total == 0 { try await Task.sleep(for: .milliseconds(900)) }
            total += chunk.count
        }
        #expect(total == 1 << 20)
    }
}
