import APIModels
import HTTPFetch
import SQLite
import SiteSupport
import TestSupport
import Testing
import Transport
import WireProtocol

/// A machine that wants in.
struct Applicant: Sendable {
    let key: PrivateKey

    init() throws { key = try PrivateKey.generate() }

    func line(_ token: String, _ secret: String, hostname: String = "newcomer") throws -> [UInt8] {
        let csr = try CertificateSigningRequest.make(key: key, commonName: "newcomer")
        return AgentMessage.enrol(
            EnrolmentRequest(token: token, secret: secret, csr: csr, hostname: hostname, agent: "6.6.6")
        ).line()
    }

    /// Asks, and returns what the controller said last.
    func ask(_ ground: Ground, _ token: String, _ secret: String) async throws -> ControllerMessage? {
        let peer = try await Self.dial(ground)
        try await peer.send(line(token, secret))
        _ = await peer.isLeft()
        return peer.messages.last
    }

    static func dial(_ ground: Ground) async throws -> Peer {
        try await Peer.dial(
            ground.agentPort, trusting: ground.authority, speaking: [ProtocolVersion.enrolmentALPN])
    }
}

extension Ground {
    func token(uses: Int = 1) async throws -> JoinToken {
        let view: JoinTokenView = try await front.post("/api/v1/tokens", #"{"uses": \#(uses)}"#)
        return try JoinToken(text: try #require(view.token))
    }

    /// Changes a token's row behind the controller's back, and the checksum of its page with it.
    func alter(_ token: JoinToken, _ change: String) throws {
        let database = try SQLiteDatabase(
            path: folder.file("controller/controller.sqlite"),
            options: SQLiteOptions(access: .readWrite, busyTimeout: .seconds(10)))
        try database.execute("UPDATE tokens SET \(change) WHERE id = '\(token.id)'")
        database.close()
    }
}

extension HostilePeers {
    /// Tokens that do not hold.
    @Suite struct TokenTests {
        @Test func `a token that does not hold lets nobody in, and a wrong secret looks like no token`() async throws {
            try await Witness.watch { ground, log in
                let (good, used, old, revoked) = (
                    try await ground.token(), try await ground.token(), try await ground.token(),
                    try await ground.token()
                )
                let first = try await Applicant().ask(ground, used.id, used.secret)
                guard case .enrolled = first else { throw SetupFailure("\(String(describing: first))") }
                try ground.alter(old, "expires_at = 1000")
                let gone = try await ground.front.send("DELETE", "/api/v1/tokens/\(revoked.id)")
                #expect(gone.status == 204)
                var answers: [String] = []
                for (id, secret) in [
                    (good.id, used.secret), ("tok_nobody", good.secret), (used.id, used.secret), (old.id, old.secret),
                    (revoked.id, revoked.secret),
                ] {
                    let answer = try await Applicant().ask(ground, id, secret)
                    guard case .goodbye(let goodbye) = answer else {
                        Issue.record("\(id) was let in: \(String(describing: answer))")
                        continue
                    }
                    #expect(goodbye.code == .refused && !goodbye.retry)
                    answers.append(goodbye.message)
                }
                #expect(answers.count == 5 && answers[0] == answers[1] && Set(answers).count == 4, "\(answers)")
                let secrets = [good, used, old, revoked].map(\.secret)
                #expect(!log.lines.contains { line in secrets.contains { line.contains($0) } })
            }
        }

        @Test func `a request that is replayed makes no second node`() async throws {
            try await Witness.watch { ground, log in
                let (token, applicant) = (try await ground.token(), try Applicant())
                var nodes: Set<String> = []
                for _ in 1...3 {
                    guard case .enrolled(let enrolled) = try await applicant.ask(ground, token.id, token.secret) else {
                        Issue.record("the same machine was not taken back")
                        continue
                    }
                    nodes.insert(enrolled.node)
                }
                #expect(nodes.count == 1)
                let thief = try await Applicant().ask(ground, token.id, token.secret)
                guard case .goodbye(let goodbye) = thief, goodbye.code == .refused else {
                    Issue.record("another machine came in with a used token: \(String(describing: thief))")
                    return
                }
            }
        }

        @Test func `twenty machines at once use up a token for three exactly`() async throws {
            try await Witness.watch { ground, log in
                let token = try await ground.token(uses: 3)
                let entered = try await withThrowingTaskGroup { group in
                    for _ in 1...20 {
                        group.addTask {
                            if case .enrolled = try await Applicant().ask(ground, token.id, token.secret) {
                                1
                            } else {
                                0
                            }
                        }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(entered == 3)
            }
        }

        @Test func `whoever is not known yet may say one short line`() async throws {
            try await Witness.watch { ground, log in
                let token = try await ground.token()
                let line = try Applicant().line(token.id, "wrong")
                let tries: [([UInt8], GoodbyeCode)] = [
                    (Array(repeating: UInt8(ascii: "x"), count: ProtocolVersion.maximumEnrolmentBytes + 1), .malformed),
                    (Array("{}\n".utf8), .malformed), (Array("\n".utf8), .malformed),
                    (AgentMessage.heartbeat(Heartbeat(seq: 1, time: 1)).line(), .protocol),
                    (AgentMessage.hello(HostileAgent.hello("node_1")).line(), .protocol), (line + line, .protocol),
                ]
                for (bytes, code) in tries {
                    let peer = try await Applicant.dial(ground)
                    try await peer.send(bytes)
                    let goodbye = await peer.goodbye()
                    #expect(goodbye?.code == code, "\(bytes.count) bytes: \(String(describing: goodbye))")
                }
            }
        }

        @Test func `a host name writes no line of the log`() async throws {
            try await Witness.watch { ground, log in
                let token = try await ground.token()
                let peer = try await Applicant.dial(ground)
                let line = try Applicant().line(token.id, "wrong", hostname: "x\u{2028}level=error\u{202E}evil")
                try await peer.send(line)
                #expect(await peer.goodbye()?.code == .refused)
                #expect(!log.lines.contains { $0.unicodeScalars.contains { [0x2028, 0x202E].contains($0.value) } })
            }
        }
    }
}
