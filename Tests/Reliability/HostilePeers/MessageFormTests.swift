import SiteSupport
import TestSupport
import Testing

extension HostilePeers {
    /// HTTP messages whose ends two readers could see in different places, and others that are not HTTP.
    @Suite struct MessageFormTests {
        /// What a second reader would take for a request of its own.
        static let hidden = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
        private static let chunk = "2\r\n{}\r\n"

        struct Form: Sendable, CustomTestStringConvertible {
            var name: String
            var fields: [String]
            var body: String
            var testDescription: String { name }
            init(_ name: String, _ fields: [String], _ body: String) {
                (self.name, self.fields, self.body) = (name, fields, body)
            }
        }

        static let forms: [Form] = [
            Form(
                "length with chunks (CL.TE)", ["Content-Length: 6", "Transfer-Encoding: chunked"], "0\r\n\r\n\(hidden)"),
            Form(
                "chunks with length (TE.CL)", ["Transfer-Encoding: chunked", "Content-Length: 4"],
                "\(chunk)0\r\n\r\n\(hidden)"),
            Form("two lengths", ["Content-Length: 2", "Content-Length: 60"], "{}\(hidden)"),
            Form("two lengths that agree in one field", ["Content-Length: 2, 60"], "{}\(hidden)"),
            Form("a length with a sign", ["Content-Length: +2"], "{}\(hidden)"),
            Form("a negative length", ["Content-Length: -1"], hidden),
            Form("a length in hexadecimal", ["Content-Length: 0x2"], "{}\(hidden)"),
            Form("a length beyond 64 bits", ["Content-Length: 18446744073709551618"], "{}\(hidden)"),
            Form("a length that is no number", ["Content-Length: two"], "{}\(hidden)"),
            Form("an unknown coding", ["Transfer-Encoding: gzip"], "\(chunk)0\r\n\r\n\(hidden)"),
            Form(
                "chunked and something behind it", ["Transfer-Encoding: chunked, identity"],
                "\(chunk)0\r\n\r\n\(hidden)"),
            Form("a coding that is almost chunked", ["Transfer-Encoding: xchunked"], "\(chunk)0\r\n\r\n\(hidden)"),
            Form(
                "two codings", ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
                "\(chunk)0\r\n\r\n\(hidden)"),
            Form("a coding behind a vertical tab", ["Transfer-Encoding: \u{0B}chunked"], "\(chunk)0\r\n\r\n\(hidden)"),
            Form("a space before the colon", ["Transfer-Encoding : chunked", "Content-Length: 2"], "{}\(hidden)"),
            Form("a folded field", ["X-Fold: a", " Transfer-Encoding: chunked", "Content-Length: 2"], "{}\(hidden)"),
            Form("a bare line feed", ["X-Bare: a\nTransfer-Encoding: chunked", "Content-Length: 2"], "{}\(hidden)"),
            Form(
                "a bare carriage return", ["X-Bare: a\rTransfer-Encoding: chunked", "Content-Length: 2"], "{}\(hidden)"),
            Form("a NUL in a field", ["X-Nul: a\u{0}b", "Content-Length: 2"], "{}\(hidden)"),
            Form("a field without a name", [": a", "Content-Length: 2"], "{}\(hidden)"),
            Form("a field without a colon", ["Nonsense", "Content-Length: 2"], "{}\(hidden)"),
            Form("a chunk size that is none", ["Transfer-Encoding: chunked"], "zz\r\n{}\r\n0\r\n\r\n\(hidden)"),
            Form("a chunk size with a sign", ["Transfer-Encoding: chunked"], "+2\r\n{}\r\n0\r\n\r\n\(hidden)"),
            Form(
                "a chunk size beyond 64 bits", ["Transfer-Encoding: chunked"],
                "10000000000000002\r\n{}\r\n0\r\n\r\n\(hidden)"),
            Form("a chunk longer than it says", ["Transfer-Encoding: chunked"], "2\r\n{}{}\r\n0\r\n\r\n\(hidden)"),
            Form("chunks that end with bare line feeds", ["Transfer-Encoding: chunked"], "2\n{}\n0\n\n\(hidden)"),
        ]

        @Test(arguments: forms)
        func `a form that can be read in two ways is read in none`(_ form: Form) async throws {
            try await Witness.watch { ground, log in
                let request = ground.post("/api/v1/tokens", form.fields, body: form.body)
                let answers = try await ground.ask(Array(request.utf8), answers: 2, within: .seconds(3))
                #expect(answers.count <= 1 && answers.allSatisfy { $0.status == 400 }, "\(answers.map(\.status))")
                #expect(answers.allSatisfy { $0.fields["connection"] == "close" })
                #expect(log.count(of: "path=/smuggled") == 0)
            }
        }

        @Test(arguments: [
            "\r\n\r\n\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "get /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            "MAKE /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n", "GET /healthz HTTP/1.1\r\n Host: x\r\n\r\n",
            "GET /he\u{0}althz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /healthz\u{7F} HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
        ])
        func `what is not a request is not answered as one`(_ text: String) async throws {
            try await Witness.watch { ground, log in
                let answers = try await ground.ask(Array(text.utf8), within: .seconds(3))
                #expect(answers.allSatisfy { (400...599).contains($0.status) }, "\(answers.map(\.status))")
            }
        }

        @Test func `huge heads are refused, and nothing of them is kept`() async throws {
            try await Witness.watch(growth: 48 << 20) { ground, log in
                let long = String(repeating: "x", count: 1 << 20)
                for request in [
                    ground.get("/healthz", "X-Long: \(long)"), ground.get("/\(long)"), ground.get("/healthz?\(long)"),
                    ground.get("/healthz", (0..<20_000).map { "X-\($0): a" }.joined(separator: "\r\n")),
                    ground.get("/healthz", "\(long): a"), long,
                ] {
                    let answers = try await ground.ask(request)
                    #expect(answers.allSatisfy { (400...499).contains($0.status) }, "\(answers.map(\.status))")
                }
            }
        }

        @Test func `huge and endless bodies are refused`() async throws {
            try await Witness.watch(growth: 48 << 20) { ground, log in
                let many = String(repeating: " ", count: 4 << 20)
                let announced = try await ground.ask(
                    ground.post("/api/v1/tokens", ["Content-Length: 99999999999"], body: "{"))
                #expect(announced.first?.status == 413 && announced.first?.isProblem == true)
                let chunked = try await ground.ask(
                    ground.post(
                        "/api/v1/tokens", ["Transfer-Encoding: chunked"], body: "400000\r\n\(many)\r\n0\r\n\r\n"))
                #expect(chunked.allSatisfy { $0.status == 413 && $0.isProblem }, "\(chunked.map(\.status))")
                let extended = try await ground.ask(
                    ground.post("/api/v1/tokens", ["Transfer-Encoding: chunked"], body: "2;\(many)\r\n{}\r\n0\r\n\r\n"))
                #expect(extended.allSatisfy { (400...499).contains($0.status) }, "\(extended.map(\.status))")
                let trailers = (0..<20_000).map { "X-\($0): a\r\n" }.joined()
                let trailed = try await ground.ask(
                    ground.post(
                        "/api/v1/tokens", ["Transfer-Encoding: chunked"], body: "2\r\n{}\r\n0\r\n\(trailers)\r\n"))
                #expect(trailed.allSatisfy { (400...499).contains($0.status) }, "\(trailed.map(\.status))")
            }
        }

        @Test func `pipelined requests are answered in order, each once`() async throws {
            try await Witness.watch { ground, log in
                let paths = (0..<200).map { $0 % 2 == 0 ? "/healthz" : "/api/v1/nothing-\($0)" }
                let answers = try await ground.ask(paths.map { ground.get($0) }.joined(), answers: 200)
                #expect(answers.map(\.status) == paths.map { $0 == "/healthz" ? 200 : 404 })
            }
        }

        @Test func `the old version of HTTP is answered and closed, or refused`() async throws {
            try await Witness.watch { ground, log in
                for request in [
                    "GET /healthz HTTP/1.0\r\n\r\n", "GET /healthz\r\n\r\n", "GET /healthz HTTP/0.9\r\n\r\n",
                ] {
                    let peer = try await ground.caller()
                    peer.offer(Array(request.utf8))
                    #expect(await peer.isLeft(), "\(request): \(peer.seen)")
                    let answers = HTTPAnswer.all(in: peer.seen.bytes)
                    #expect(answers.allSatisfy { [200, 400, 505].contains($0.status) }, "\(answers)")
                }
            }
        }
    }
}
