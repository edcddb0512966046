import AgentCommands
import Logging
import Model
import Store
import TestSupport
import Testing
import Transport
import WireProtocol

@testable import Sessions

/// Who came in, came in again, or was not let in.
@Suite struct EnrolmentDeskTests {
    private struct House {
        let store: Store
        let enrolment: EnrolmentService
        let token: JoinToken
        private let scratch: ScratchFolder

        init() async throws {
            scratch = try ScratchFolder("enrolment")
            store = try Store(path: scratch.file("store.sqlite"))
            let now = Timestamp.now()
            let authority = try CertificateAuthority.create(commonName: "Test", days: 10, now: now.milliseconds)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let sessions = SessionManager(
                store: store, fleet: Fleet(ledger: Fleet.Ledger { (_, _) throws(AgentError) in Fleet.Opening() }),
                revocations: Revocations(), authority: authority, expected: [], logger: logger)
            enrolment = EnrolmentService(
                store: store, sessions: sessions, authority: authority, controllerName: "localhost", logger: logger)
            token = try JoinToken.make(id: "tok_1", caPin: authority.certificate.publicKeyPin)
            try await store.insertToken(
                TokenRecord(
                    id: token.id, secretHash: token.secretHash, labels: ["zone": "a"], usesLeft: 1,
                    expiresAt: now + .seconds(600), createdAt: now))
        }

        func enrol(_ key: PrivateKey, secret: String? = nil) async throws -> Bool {
            let csr = try CertificateSigningRequest.make(key: key, commonName: "x")
            let request = EnrolmentRequest(
                token: token.id, secret: secret ?? token.secret, csr: csr, hostname: "web-1", agent: "0.1.0",
                protocol: [1])
            guard case .success = await enrolment.enrol(request, remote: "192.0.2.7") else { return false }
            return true
        }
    }

    @Test func `the same key again is recorded as such`() async throws {
        let house = try await House()
        let key = try PrivateKey.generate()
        #expect(try await house.enrol(key))
        #expect(try await house.enrol(key))
        let rows = try await house.store.auditLog().items
        #expect(rows.map(\.action) == ["node.reenrol", "node.enrol"])
        #expect(Set(rows.map(\.subject)).count == 1)
        #expect(rows.allSatisfy { $0.remote == "192.0.2.7" && $0.actor == "token:tok_1" })
        #expect(rows.last?.detail["labels"] == ["zone": "a"])
        await house.store.close()
    }

    @Test func `whoever is not let in is recorded, and a flood of them once`() async throws {
        let house = try await House()
        for _ in 0..<20 { #expect(try await !house.enrol(.generate(), secret: "wrong")) }
        #expect(try await house.enrol(.generate()))
        #expect(try await !house.enrol(.generate()))
        let denied = try await house.store.auditLog().items.filter { $0.action == "node.enrol.denied" }
        #expect(denied.map { $0.detail["reason"] } == ["used up", "unknown"])
        #expect(denied.allSatisfy { $0.actor == "stranger" && $0.detail["host"] == "web-1" })
        await house.store.close()
    }
}
