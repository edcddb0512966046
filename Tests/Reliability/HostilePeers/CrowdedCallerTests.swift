import APIModels
import HTTPFetch
import SiteSupport
import TestSupport
import Testing

extension HostilePeers {
    /// A key that may only look, in the hands of somebody who wants everything for himself.
    @Suite struct CrowdedCallerTests {
        @Test func `a key with all the streams and connections that it can get locks nobody out`() async throws {
            try await Witness.watch(working: true, growth: 128 << 20) { ground, log in
                let made = try await ground.front.post(
                    "/api/v1/keys", #"{"name":"reader","scopes":["read"]}"#, as: APIKey.self)
                let key = try #require(made.secret)
                let head = { (path: String) in
                    "GET \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(key)\r\n\r\n"
                }
                var opened: [Peer] = []
                for index in 0..<600 {
                    let caller = try await ground.caller()
                    caller.offer(Array(head(index < 520 ? "/api/v1/events" : "/api/v1/nodes").utf8))
                    opened.append(caller)
                    if index % 100 == 99 {
                        #expect(try await ground.ask(ground.get("/api/v1/nodes")).first?.status == 200)
                        #expect(
                            try await ground.ask("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").first?.status
                                == 200)
                    }
                }
                let callers = opened
                let refused = await eventually(within: .seconds(30)) {
                    callers.contains { HTTPAnswer.all(in: $0.seen.bytes).first?.status == 429 }
                }
                #expect(refused)
                let streams = callers.count { HTTPAnswer.all(in: $0.seen.bytes).first?.status == 200 && !$0.isClosed }
                #expect(streams <= 64)
                for caller in callers { await caller.reset() }
            }
        }
    }
}
