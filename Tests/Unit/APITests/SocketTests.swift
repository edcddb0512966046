import APIModels
import HTTPFetch
import Model
import Processes
import Store
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import API
@testable import HTTP

/// The server on a real port, over TLS, asked by another HTTP implementation.
@Suite struct SocketTests {
    @Test func `a service is ordered over HTTPS`() async throws {
        try await OpenHouse.with { open in
            #expect(try await open.send("GET", "/healthz").status == 200)
            #expect(try await open.send("PUT", "/api/v1/plans/small", House.plan).status == 200)
            let response = try await open.send(
                "POST", "/api/v1/services", #"{"external_id":"a","customer":"c","plan":"small"}"#)
            #expect(response.status == 202)
            #expect(response.headers["Content-Type"] == "application/json")
            #expect(response.headers["Location"]?.hasPrefix("/api/v1/operations/op_") == true)
            let audit = try await open.house.store.auditLog().items
            #expect(audit.allSatisfy { $0.remote == "127.0.0.1" })
        }
    }

    @Test func `nobody is spoken to without TLS, or with an authority that does not vouch`() async throws {
        try await OpenHouse.with { open in
            var plain = open.request("GET", "/healthz")
            plain.url = "http://127.0.0.1:\(open.port)/healthz"
            await #expect(throws: HTTPFetch.HTTPError.self) { _ = try await open.client.send(plain) }
            var untrusting = open.request("GET", "/healthz")
            untrusting.trust = .system
            let error = await #expect(throws: HTTPFetch.HTTPError.self) { _ = try await open.client.send(untrusting) }
            #expect(error?.kind == .untrusted)
        }
    }

    @Test func `many requests share a connection`() async throws {
        try await OpenHouse.with { open in
            for _ in 1...50 {
                let response = try await open.send("GET", "/api/v1/nodes")
                #expect(response.status == 200)
            }
        }
    }

    @Test func `an operation is followed live, step by step, to its end`() async throws {
        try await OpenHouse.with { open in
            let house = open.house
            let id = try await house.addService().operation.id
            let stream = try await open.client.stream(open.stream("/api/v1/operations/\(id)/events"))
            #expect(stream.status == 200)
            var reader = LiveEvents(stream)
            #expect(try await reader.next(named: "operation").data.contains(#""state":"queued""#))
            try await OperationTests.journal(house, id, Array(OperationTests.begun.prefix(2)))
            #expect(try await reader.next(named: "step").data.contains(#""state":"running""#))
            try await OperationTests.journal(house, id, [OperationTests.begun[2]], after: 2)
            #expect(try await reader.next(named: "step").data.contains(#""state":"done""#))
            try await house.store.appendLog(
                id, [OperationLogLine(time: house.clock.time, level: "info", text: "nearly there")])
            while try await !reader.next(named: "log").data.contains("nearly there") {}
            try await house.store.updateOperation(id) { $0.state = .succeeded }
            #expect(try await reader.next(named: "operation").data.contains(#""state":"succeeded""#))
            #expect(try await reader.next() == nil)
        }
    }

    @Test func `changes come as they happen, and a reader that was away is brought up to date`() async throws {
        try await OpenHouse.with { open in
            var reader = LiveEvents(try await open.client.stream(open.stream("/api/v1/events?kind=node&kind=plan")))
            try await reader.started()
            try await open.house.addNode()
            let node = try await reader.next(named: "change")
            #expect(node.data == #"{"kind":"node","id":"nod_1","node":"nod_1"}"#)
            _ = try await open.send("PUT", "/api/v1/plans/small", House.plan)
            _ = try await open.send("POST", "/api/v1/tokens", "{}")
            try await open.house.addNode("nod_2", name: "beta")
            #expect(try await reader.next(named: "change").data.contains(#""kind":"plan""#))
            #expect(try await reader.next(named: "change").data.contains("nod_2"))
            var request = open.stream("/api/v1/events?kind=node")
            request.headers["Last-Event-ID"] = node.id
            var returned = LiveEvents(try await open.client.stream(request))
            #expect(try await returned.next(named: "change").data.contains("nod_2"))
            request.headers["Last-Event-ID"] = "otherrun-7"
            var stranger = LiveEvents(try await open.client.stream(request))
            #expect(try await stranger.next().map(\.name) == "missed")
        }
    }

    @Test func `who may only look does not hear of keys`() async throws {
        try await OpenHouse.with { open in
            var request = open.stream("/api/v1/events")
            request.headers["Authorization"] = "Bearer \(try await open.house.key("read"))"
            var reader = LiveEvents(try await open.client.stream(request))
            try await reader.started()
            _ = try await open.send("POST", "/api/v1/keys", #"{"name":"x","scopes":["read"]}"#)
            try await open.house.addNode()
            #expect(try await reader.next(named: "change").data.contains("nod_1"))
        }
    }

    @Test func `a quiet stream gives signs of life`() async throws {
        try await OpenHouse.with({ $0.http.paceEvents(heartbeat: .milliseconds(20), patience: .seconds(30)) }) { open in
            let stream = try await open.client.stream(open.stream("/api/v1/events"))
            var text = ""
            for try await chunk in stream {
                text += String(decoding: chunk, as: UTF8.self)
                if text.split(separator: ": heartbeat").count > 3 { break }
            }
            #expect(text.contains(": heartbeat"))
        }
    }

    @Test func `a reader that does not read is cut, and nothing piles up for it`() async throws {
        try await OpenHouse.with({ $0.http.paceEvents(heartbeat: .milliseconds(50), patience: .milliseconds(300)) }) {
            open in
            let house = open.house
            let id = try await house.addService().operation.id
            let stream = try await open.client.stream(open.stream("/api/v1/operations/\(id)/events"))
            // Far more than the buffers of both ends hold.
            let text = String(repeating: "x", count: 4000)
            for _ in 1...20 {
                let lines = (1...250).map { _ in OperationLogLine(time: house.clock.time, level: "info", text: text) }
                try await house.store.appendLog(id, lines)
            }
            #expect(await eventually { open.house.server.listeners == 0 })
            _ = stream.status
        }
    }

    @Test func `streams end when the controller stops`() async throws {
        let ended = Flag()
        try await OpenHouse.with { open in
            var reader = LiveEvents(try await open.client.stream(open.stream("/api/v1/events")))
            try await reader.started()
            Task {
                // However it ends, it ends; otherwise the graceful stop below would wait for ever.
                while (try? await reader.next()) ?? nil != nil {}
                ended.raise()
            }
        }
        #expect(await eventually { ended.isRaised })
    }

    @Test func `a body that drips is not waited for`() async throws {
        try await OpenHouse.with({ $0.http.bodyDeadline = .milliseconds(200) }) { open in
            var request = open.request("POST", "/api/v1/tokens")
            request.headers["Content-Type"] = "application/json"
            request.body = .stream(length: 1000) {
                try await Task.sleep(for: .milliseconds(50))
                return [32]
            }
            let status: Int
            do { status = try await open.client.send(request).status } catch { status = 0 }
            // The connection may be cut before the client has taken the answer.
            #expect(status == 408 || status == 0)
            let tokens = try await open.house.store.tokens().items
            #expect(tokens.isEmpty)
        }
    }

    @Test func `a body that waits for leave gets it from who may, and no leave without a key`() async throws {
        try await OpenHouse.with { open in
            func said(_ key: String) async throws -> String {
                let head = """
                    POST /api/v1/tokens HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer \(key)\\r\\nContent-Type: application/json\\r\\n\
                    Content-Length: 10\\r\\nConnection: close\\r\\nExpect: 100-continue\\r\\n\\r\\n
                    """
                let script = """
                    ( printf '\(head)'; sleep 1; printf '{"uses":2}'; sleep 1 ) | \
                    openssl s_client -quiet -connect 127.0.0.1:\(open.port) 2>/dev/null
                    """
                let outcome = try await Child.run(ProcessRequest("/bin/sh", ["-c", script], deadline: .seconds(60)))
                return String(decoding: outcome.stdout, as: UTF8.self)
            }
            let allowed = try await said(open.house.admin)
            #expect(allowed.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created"), "\(allowed)")
            let refused = try await said("x")
            #expect(
                refused.hasPrefix("HTTP/1.1 401") && refused.lowercased().contains("connection: close"), "\(refused)")
            #expect(try await open.house.store.tokens().items.count == 1)
        }
    }

    @Test func `who leaves in the middle of a body is no error of the controller`() async throws {
        try await OpenHouse.with { open in
            let head =
                "POST /api/v1/tokens HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer \(open.house.admin)\\r\\nContent-Type: application/json\\r\\nContent-Length: 1000\\r\\n\\r\\n{"
            let script = """
                ( printf '\(head)'; sleep 0.5 ) | openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:\(open.port) >/dev/null 2>&1
                """
            _ = try await Child.run(ProcessRequest("/bin/sh", ["-c", script], deadline: .seconds(60)))
            let counted = await eventually {
                open.counted("POST", "/api/v1/tokens").contains { $0.status == 400 }
            }
            #expect(counted)
            #expect(!open.counted("POST", "/api/v1/tokens").contains { $0.status >= 500 })
        }
    }

    @Test func `a head that never ends is cut`() async throws {
        try await OpenHouse.with({ $0.http.idleTimeout = .milliseconds(300) }) { open in
            // The other side stays open for ever: only the server can end this.
            let script = """
                ( printf 'GET /healthz HTTP/1.1\\r\\nHost: x\\r\\nX-A: '; while sleep 0.1; do printf a; done ) | \
                openssl s_client -quiet -ign_eof -connect 127.0.0.1:\(open.port) >/dev/null 2>&1
                """
            let outcome = try await Child.run(ProcessRequest("/bin/sh", ["-c", script], deadline: .seconds(60)))
            #expect(outcome.ended == .itself)
        }
    }

    @Test func `a head beyond the limits is refused`() async throws {
        try await OpenHouse.with { open in
            var request = open.request("GET", "/healthz")
            request.headers["X-Long"] = String(repeating: "x", count: 60_000)
            let status: Int
            do { status = try await open.client.send(request).status } catch { status = 0 }
            #expect(status == 400 || status == 0)
            #expect(await open.isAnswering())
        }
    }
}

extension OpenHouse {
    func stream(_ path: String) -> HTTPRequest {
        var request = request("GET", path)
        request.timeout = nil
        return request
    }

    /// Requests that were answered so far.
    func counted(_ method: String, _ route: String) -> [RequestCounters.Series] {
        server.counters.all.map(\.series).filter { $0.method == method && $0.route == route }
    }

    func isAnswering() async -> Bool {
        (try? await send("GET", "/healthz").status) == 200
    }
}

/// Something that has happened.
final class Flag: Sendable {
    private let raised = Mutex(false)
    var isRaised: Bool { raised.withLock { $0 } }
    func raise() { raised.withLock { $0 = true } }
}

/// A live stream, event by event.
struct LiveEvents {
    private var iterator: HTTPStream.AsyncIterator
    private var text = ""
    private var waiting: [Events.Event] = []

    init(_ stream: HTTPStream) { iterator = stream.makeAsyncIterator() }

    /// Waits for the greeting: from then on nothing is missed.
    mutating func started() async throws {
        while !text.contains("retry:"), let chunk = try await iterator.next() {
            text += String(decoding: chunk, as: UTF8.self)
        }
    }

    mutating func next() async throws -> Events.Event? {
        while waiting.isEmpty {
            guard let chunk = try await iterator.next() else { return nil }
            text += String(decoding: chunk, as: UTF8.self)
            guard let end = text.range(of: "\n\n", last: true) else { continue }
            waiting = Events.parse(String(text[..<end.upperBound]))
            text = String(text[end.upperBound...])
        }
        return waiting.removeFirst()
    }

    mutating func next(named name: String) async throws -> Events.Event {
        while let event = try await next() { if event.name == name { return event } }
        throw SetupFailure("the stream ended before an event \(name)")
    }
}

extension String {
    fileprivate func range(of text: String, last: Bool) -> Range<String.Index>? { ranges(of: text).last }
}
