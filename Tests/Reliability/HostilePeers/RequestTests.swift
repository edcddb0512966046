import APIModels
import Model
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension HostilePeers {
    /// Well-formed requests that ask for what they should not.
    @Suite struct RequestTests {
        @Test(arguments: [
            "/api/v1/%2e%2e/%2e%2e/etc/passwd", "/api/v1/../../etc/passwd", "/api/v1/nodes/..%2f..%2f",
            "/api/v1/nodes/%00",
            "/api/v1/nodes/a%00b", "//api/v1/nodes", "/api/v1//nodes", "/api/v1/nodes;jsessionid=1", "/api/v1/nodes/%",
            "/api/v1/nodes/%zz", "/api/v1/nodes/%c0%ae%c0%ae", "/api/v1/nodes/%c0%af", "/api/v1/nodes/%ff",
            "/api/v1/nodes/%ed%a0%80",
            "/api/v1/nodes/%0d%0aSet-Cookie:%20x", "/api/v1/nodes/%e2%80%a8", "/%61pi/v1/nodes/x",
            "/api/v1/nodes/x?limit=1%00",
            "/api/v1/nodes?limit=-1", "/api/v1/nodes?limit=99999999999999999999",
            "/api/v1/nodes?state=%27%20OR%201=1--",
            "/api/v1/nodes?cursor=AAAA", "/api/v1/nodes?unknown=1", "/.git/config",
            "/api/v1/nodes/\(String(repeating: "a", count: 4000))",
            "/api/v1/nodes/x/metrics?from=9223372036854775807", "/api/v1/nodes/x/metrics?step=0",
        ])
        func `a path is a name, whatever is in it`(_ target: String) async throws {
            try await Witness.watch { ground, log in
                let answers = try await ground.ask(ground.get(target))
                #expect(answers.count == 1 && [400, 404].contains(answers[0].status), "\(answers)")
                #expect(answers.allSatisfy { $0.isProblem || $0.fields["connection"] == "close" }, "\(answers)")
                #expect(answers.allSatisfy { $0.fields["set-cookie"] == nil && $0.fields["location"] == nil })
            }
        }

        @Test func `a target with a scheme and a host goes nowhere else`() async throws {
            try await Witness.watch { ground, log in
                let answers = try await ground.ask(ground.get("http://169.254.169.254/latest/meta-data"))
                #expect(
                    answers.map(\.status).allSatisfy { [400, 404].contains($0) } && answers.count == 1, "\(answers)")
            }
        }

        @Test(arguments: [
            "TRACE", "PROPFIND", "PURGE", "DELETE", "PUT", "PATCH", "LOCK", "M-SEARCH",
        ])
        func `a method that is not offered is refused`(_ method: String) async throws {
            try await Witness.watch { ground, log in
                let request =
                    "\(method) /api/v1/nodes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nAuthorization: Bearer \(ground.front.key)\r\nX-Secret: echo\r\n\r\n"
                let answers = try await ground.ask(request)
                #expect(answers.count == 1 && answers[0].status == 405, "\(answers)")
                #expect(answers.first?.fields["allow"] == "GET, HEAD, OPTIONS")
                #expect(!answers.contains { String(decoding: $0.body, as: UTF8.self).contains("echo") })
            }
        }

        @Test func `a key that does not hold opens nothing, and its faults look alike`() async throws {
            try await Witness.watch { ground, log in
                let key = ground.front.key
                let parts = key.split(separator: ".").map(String.init)
                let wrong = [
                    nil, "", "Bearer", "Bearer ", "Bearer x", "Basic \(key)", "Bearer \(key) x",
                    "Bearer \(key.dropLast())",
                    "Bearer \(key)A", "Bearer \(key.uppercased())",
                    "Bearer \(parts[0]).\(parts[1]).\(parts[2].lowercased())",
                    "Bearer \(parts[0]).\(parts[1]).\(String(parts[2].reversed()))",
                    "Bearer \(parts[0]).key_nobody.\(parts[2])",
                    "Bearer \(parts[0]).\(parts[1]).\(String(repeating: "A", count: 43))", "Bearer ikk1..\(parts[2])",
                    "Bearer \(String(repeating: "a.", count: 2000))", "Bearer ' OR 1=1--",
                ]
                var faults: Set<String> = []
                for field in wrong {
                    let line = field.map { "Authorization: \($0)\r\n" } ?? ""
                    let answers = try await ground.ask("GET /api/v1/nodes HTTP/1.1\r\nHost: localhost\r\n\(line)\r\n")
                    #expect(
                        answers.count == 1 && answers[0].status == 401 && answers[0].isProblem,
                        "\(field ?? "none"): \(answers)")
                    #expect(answers.first?.fields["www-authenticate"]?.hasPrefix("Bearer") == true)
                    if let body = answers.first?.body { faults.insert(String(decoding: body, as: UTF8.self)) }
                }
                // None, not of the form, not valid: no more than that is said.
                #expect(faults.count == 3, "\(faults)")
                #expect(!log.lines.contains { $0.contains(parts[2]) })
            }
        }

        @Test func `two keys in one request are none`() async throws {
            try await Witness.watch { ground, log in
                let answers = try await ground.ask(ground.get("/api/v1/nodes", "Authorization: Bearer ikk1.a.b"))
                #expect(answers.first?.status == 401)
            }
        }

        @Test func `expensive questions are refused before they are asked`() async throws {
            try await Witness.watch(growth: 96 << 20) { ground, log in
                let node = try ground.site.node()
                let now = Timestamp.now().milliseconds
                for query in [
                    "from=\(now - 315_360_000_000)&to=\(now)&step=1",
                    "from=\(now - 315_360_000_000)&to=\(now)&step=1000",
                    "from=0&to=9223372036854775807&step=1000", "from=0&to=253402300799999&step=60000",
                    "from=\(now)&to=0&step=1000", (0..<200).map { "name=a\($0)" }.joined(separator: "&"),
                ] {
                    let start = ContinuousClock.now
                    let answers = try await ground.ask(ground.get("/api/v1/nodes/\(node)/metrics?\(query)"))
                    #expect(answers.first?.status == 400 && answers.first?.isProblem == true, "\(query): \(answers)")
                    #expect(ContinuousClock.now - start < .seconds(10))
                }
                let wide = try await ground.ask(
                    ground.get("/api/v1/nodes/\(node)/metrics?from=\(now - 315_360_000_000)&to=\(now)&step=34560000000")
                )
                #expect(wide.first?.status == 200)
            }
        }

        @Test func `bodies that are not what they should be are refused by name`() async throws {
            try await Witness.watch { ground, log in
                for body in [
                    "{\"uses\":1,\"uses\":2}", "{\"uses\":1e999}", "{\"uses\":9223372036854775808}", "{\"uses\":\"1\"}",
                    "[]", "null",
                    "{\"uses\":1}{}", "{\"\\ud800\":1}", "{\"labels\":{\"a\\u0000b\":\"c\"}}",
                    "{\"labels\":{\"a\":\"\\u001b[2J\"}}",
                    String(repeating: "[", count: 100_000),
                    "{\"labels\":" + String(repeating: "{\"a\":", count: 10_000),
                ] {
                    let request = ground.post("/api/v1/tokens", ["Content-Length: \(body.utf8.count)"], body: body)
                    let answers = try await ground.ask(request)
                    #expect(
                        answers.first?.status == 400 && answers.first?.isProblem == true,
                        "\(body.prefix(40)): \(answers)")
                }
            }
        }
    }
}
