import APIModels
import Processes
import Store
import TestSupport
import Testing
import Transport

@testable import API
@testable import HTTP

/// HTTP/2 on the API's port, asked by curl.
@Suite struct HTTP2Tests {
    @Test func `whoever can speaks HTTP/2, the others as before`() async throws {
        try await OpenHouse.with { open in
            for (wish, expected) in [("--http2", "2 200"), ("--http1.1", "1.1 200"), ("--no-alpn", "1.1 200")] {
                let said = try await open.curl([
                    wish, "-o", "/dev/null", "-w", "%{http_version} %{http_code}", open.url + "/api/v1/nodes",
                ])
                #expect(said == expected)
            }
        }
    }

    @Test func `a service is ordered, its operation is looked at, and what is wrong is told`() async throws {
        try await OpenHouse.with { open in
            let json = ["--http2", "-H", "Content-Type: application/json", "-d"]
            #expect(
                try await open.curl(json + [House.plan, "-X", "PUT", open.url + "/api/v1/plans/small"]).contains(
                    "small"))
            let order = #"{"external_id":"a","customer":"c","plan":"small"}"#
            let answer = try await open.curl(json + [order, "-i", open.url + "/api/v1/services"])
            #expect(answer.hasPrefix("HTTP/2 202") && answer.contains("location: /api/v1/operations/op_"), "\(answer)")
            let head = try await open.curl(["--http2", "-I", open.url + "/api/v1/plans/small"])
            #expect(head.hasPrefix("HTTP/2 200") && head.contains("content-length: "), "\(head)")
            let refused = try await open.curl(json + ["{", "-i", open.url + "/api/v1/services"])
            #expect(
                refused.hasPrefix("HTTP/2 400") && !refused.lowercased().contains("connection: close"), "\(refused)")
        }
    }

    @Test func `a body too large, or of somebody unknown, is refused before it has come`() async throws {
        try await OpenHouse.with { open in
            let large = try open.house.folder.write([UInt8](repeating: 32, count: 4 << 20), to: "large")
            let post = [
                "--http2", "-H", "Content-Type: application/json", "-w", "%{http_code}", "-o", "/dev/null",
                "--data-binary", "@" + large, open.url + "/api/v1/tokens",
            ]
            #expect(try await open.curl(post) == "413")
            #expect(try await open.curl(post, key: "ikk1.x") == "401")
            let patient = try await open.curl(["-H", "Expect: 100-continue"] + post)
            #expect(patient == "413")
        }
    }

    @Test func `a hundred requests at once share one connection`() async throws {
        try await OpenHouse.with { open in
            // The first makes the connection; the others then need not wait to see whether it can be shared.
            let text = try await open.curl([
                "--http2", "--parallel", "--parallel-max", "100", "-o", "/dev/null",
                "-w", "%{http_version} %{http_code} %{num_connects}\n", open.url + "/api/v1/nodes?limit=[1-100]",
            ])
            let lines = text.split(separator: "\n")
            #expect(lines.count { $0 == "2 200 0" } == 99 && lines.count { $0 == "2 200 1" } == 1, "\(text)")
        }
    }

    @Test func `an operation is followed live, to its end`() async throws {
        try await OpenHouse.with { open in
            let house = open.house
            let id = try await house.addService().operation.id
            async let told = open.curl(["--http2", "-N", open.url + "/api/v1/operations/\(id)/events"])
            #expect(await eventually { open.server.listeners == 1 })
            try await OperationTests.journal(house, id, Array(OperationTests.begun.prefix(2)))
            try await house.store.updateOperation(id) { $0.state = .succeeded }
            let events = Events.parse(try await told)
            #expect(events.map(\.name).contains("step"))
            #expect(events.last?.data.contains(#""state":"succeeded""#) == true)
        }
    }

    @Test func `streams and connections end when the controller stops`() async throws {
        let ended = Flag()
        try await OpenHouse.with { open in
            Task {
                _ = try? await open.curl(["--http2", "-N", open.url + "/api/v1/events"])
                ended.raise()
            }
            #expect(await eventually { open.server.listeners == 1 })
        }
        #expect(await eventually { ended.isRaised })
    }
}

extension OpenHouse {
    /// What curl writes; with the key of the administrator unless another is given.
    func curl(_ words: [String], key: String? = nil) async throws -> String {
        let trusted = try house.folder.write(Array(authority.certificate.pem.utf8), to: "authority.pem")
        let all = ["-sS", "--cacert", trusted, "-H", "Authorization: Bearer \(key ?? house.admin)"] + words
        let outcome = try await Child.run(ProcessRequest("curl", all, deadline: .seconds(120)))
        return String(decoding: outcome.stdout + outcome.stderr, as: UTF8.self)
    }
}
