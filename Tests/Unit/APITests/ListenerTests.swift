import APIModels
import HTTPFetch
import HTTPTypes
import Hummingbird
import Testing

@testable import API
@testable import HTTP

/// Several listeners, and several lists of endpoints on one.
@Suite struct ListenerTests {
    @Test func `a listener without TLS lies on the loopback or nowhere`() throws {
        for host in ["127.0.0.1", "127.0.0.53", "::1"] {
            _ = try Listener(host: host, port: 0, security: .plain, lists: [])
        }
        for host in ["0.0.0.0", "::", "10.0.0.1", "localhost", "127.0.0.1.example.org", "127.0.0", "127.0.0.256", ""] {
            let error = #expect(throws: ListenerError.self) {
                _ = try Listener(host: host, port: 0, security: .plain, lists: [])
            }
            #expect(error?.host == host)
        }
    }

    @Test func `the API is served on all its listeners, and one caller has one share`() async throws {
        try await OpenHouse.with({ settings in
            settings.further = [APISettings.Further(host: "127.0.0.1", port: 0, isPlain: true)]
            settings.http.keyRate = Rate(perSecond: 0.001, burst: 3)
        }) { open in
            let plain = try #require(open.otherPorts.first)
            var request = open.request("GET", "/api/v1/nodes")
            request.url = "http://127.0.0.1:\(plain)/api/v1/nodes"
            #expect(try await open.client.send(request).status == 200)
            #expect(try await open.client.send(request).status == 200)
            #expect(try await open.send("GET", "/api/v1/nodes").status == 200)
            #expect(try await open.client.send(request).status == 429)
        }
    }

    @Test func `each list tells its errors in its own shape, also where there is nothing`() async throws {
        let house = try await House()
        let other = EndpointList(
            [
                Endpoint(.get, "/compat/x/thing", .read, .init(summary: "", tag: "")) { _ in
                    throw Problem(.conflict, "no")
                }
            ],
            below: "/compat/x",
            authenticator: Authenticator { _, remote in
                Caller(key: "x", name: "x", scopes: [.read], remote: remote)
            },
            errors: ErrorShape({ _ in nil }) { (Array("{\"error\":\"\($0.detail)\"}".utf8), "application/json") })
        let router = APIRouter([other] + house.server.lists, house.server.pipeline)
        func text(_ method: HTTPTypes.HTTPRequest.Method, _ path: String) async throws -> (Int, String, String?) {
            let reply = try await house.ask(method, path, key: "", of: router)
            return (reply.status, String(decoding: reply.body, as: UTF8.self), reply.response.headers[.contentType])
        }
        #expect(try await text(.get, "/compat/x/thing") == (409, #"{"error":"no"}"#, "application/json"))
        #expect(
            try await text(.get, "/compat/x/none") == (
                404, #"{"error":"there is nothing at this path"}"#, "application/json"
            ))
        let refused = try await text(.delete, "/compat/x/thing")
        #expect(refused.0 == 405 && refused.1.hasPrefix(#"{"error":"DELETE"#))
        #expect(try await text(.get, "/compat/y").2 == Problem.mediaType)
        #expect(try await text(.get, "/api/v1/nodes").0 == 401)
    }
}
