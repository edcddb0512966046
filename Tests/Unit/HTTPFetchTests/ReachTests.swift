import HTTPFetch
import TestSupport
import Testing

/// Where a request may go is judged by the address, not by the name.
@Suite struct ReachTests {
    let client = HTTPClient()

    private func error(_ url: String, _ reach: HTTPReach) async -> HTTPError? {
        var request = HTTPRequest("GET", url)
        request.reach = reach
        request.timeout = .seconds(5)
        do throws(HTTPError) {
            _ = try await client.send(request)
            return nil
        } catch { return error }
    }

    @Test func `a name that leads to this machine is no way to it`() async throws {
        let server = try ScriptedServer { _ in [.respond(200, "ok")] }
        for host in ["127.0.0.1", "localhost", "127.1", "2130706433"] {
            let error = await error("http://\(host):\(server.port)/", .publicInternet)
            #expect(error?.kind == .forbidden, "\(host): \(error as Any)")
        }
        #expect(server.accepted == 0)
        for reach in [HTTPReach.anywhere, .loopback] {
            #expect(await error("http://127.0.0.1:\(server.port)/", reach) == nil)
        }
        // Nor is a connection that another request has left.
        #expect(await error("http://127.0.0.1:\(server.port)/", .publicInternet)?.kind == .forbidden)
    }

    @Test(arguments: [
        "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:10.0.0.1]",
        "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]", "[fe80::1]", "[fc00::1]", "[fd12::1]", "[ff02::1]", "[2001:db8::1]",
        "[2002:a00:1::1]", "[2001::1]",
    ])
    func `addresses that are not public are none of the public`(host: String) async {
        #expect(await error("http://\(host):9/", .publicInternet)?.kind == .forbidden)
        if host != "[::1]" { #expect(await error("http://\(host):9/", .loopback)?.kind == .forbidden) }
    }

    @Test(arguments: ["172.32.0.1", "11.0.0.1", "[2a00:1450::1]"])
    func `public addresses are not refused`(host: String) async {
        var request = HTTPRequest("GET", "http://\(host):9/")
        (request.reach, request.timeout) = (.publicInternet, .milliseconds(300))
        do throws(HTTPError) { _ = try await client.send(request) } catch {
            #expect(error.kind != .forbidden, "\(error)")
        }
    }
}
