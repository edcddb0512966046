import SiteSupport
import TestSupport
import WireProtocol

/// An answer of the API as it came.
struct HTTPAnswer: Sendable {
    var status: Int
    /// Names in lower case.
    var fields: [String: String]
    var body: [UInt8]

    /// Whether it is a problem as RFC 9457 has it, of this status.
    var isProblem: Bool {
        guard fields["content-type"] == "application/problem+json",
            let problem = (try? JSONParser.parse(body))?.asObject
        else { return false }
        return (try? problem.integer("status")) == Int64(status) && (try? problem.string("detail")) != nil
    }

    /// The answers in what was heard; the last may be cut short.
    static func all(in bytes: [UInt8]) -> [HTTPAnswer] {
        var answers: [HTTPAnswer] = []
        var rest = bytes[...]
        while let end = headEnd(rest) {
            let lines = String(decoding: rest[..<end], as: UTF8.self).split(separator: "\r\n")
            guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { break }
            var fields: [String: String] = [:]
            for line in lines.dropFirst() {
                let pair = line.split(separator: ":", maxSplits: 1)
                fields[pair[0].lowercased()] = pair.count > 1 ? pair[1].drop { $0 == " " }.description : ""
            }
            let length = fields["content-length"].flatMap { Int($0) } ?? 0
            answers.append(HTTPAnswer(status: status, fields: fields, body: Array(rest[(end + 4)...].prefix(length))))
            rest = rest[(end + 4)...].dropFirst(length)
        }
        return answers
    }

    private static func headEnd(_ bytes: ArraySlice<UInt8>) -> Int? {
        bytes.indices.dropLast(3).first {
            bytes[$0] == 13 && bytes[$0 + 1] == 10 && bytes[$0 + 2] == 13 && bytes[$0 + 3] == 10
        }
    }
}

extension Ground {
    /// A TLS connection to the API.
    func caller() async throws -> Peer {
        try await Peer.dial(apiPort, trusting: authority, speaking: ["http/1.1"])
    }

    /// Sends bytes on a connection of their own and returns what was answered until the connection ended, or `count`
    /// answers had come.
    func ask(_ bytes: [UInt8], answers count: Int = 1, within limit: Duration = .seconds(20)) async throws
        -> [HTTPAnswer]
    {
        let peer = try await caller()
        peer.offer(bytes)
        _ = await eventually(within: limit) { peer.isClosed || HTTPAnswer.all(in: peer.seen.bytes).count >= count }
        await peer.close()
        return HTTPAnswer.all(in: peer.seen.bytes)
    }

    func ask(_ text: String, answers count: Int = 1) async throws -> [HTTPAnswer] {
        try await ask(Array(text.utf8), answers: count)
    }

    /// A request without a body.
    func get(_ target: String, _ fields: String...) -> String {
        (["GET \(target) HTTP/1.1", "Host: localhost", "Authorization: Bearer \(front.key)"] + fields + ["", ""])
            .joined(separator: "\r\n")
    }

    /// A request that changes something, complete with its body's fields.
    func post(_ target: String, _ fields: [String], body: String) -> String {
        ([
            "POST \(target) HTTP/1.1", "Host: localhost", "Authorization: Bearer \(front.key)",
            "Content-Type: application/json",
        ] + fields + ["", body]).joined(separator: "\r\n")
    }
}
