import Logging
import Synchronization
import Testing
import Transport

@testable import innkeeper_controller

@Suite struct ServerCertificateTests {
    private struct Unreadable: Error {}

    /// What the data folder would give: an identity, or a problem.
    private final class Folder: Sendable {
        let authority: CertificateAuthority
        let identity: Mutex<TLSIdentity?>

        init() throws {
            authority = try CertificateAuthority.create(commonName: "Test", days: 2, now: 1_700_000_000_000)
            identity = Mutex(nil)
            try renew()
        }

        func renew() throws {
            let key = try PrivateKey.generate()
            let certificate = try authority.issueServer(
                key: key, names: ["localhost"], validity: .seconds(86_400), now: 1_700_000_000_000)
            let fresh = try TLSIdentity(chain: [certificate, authority.certificate], key: key)
            identity.withLock { $0 = fresh }
        }
    }

    private func certificates(_ folder: Folder) throws -> ServerCertificates {
        try ServerCertificates(
            make: {
                guard let identity = folder.identity.withLock({ $0 }) else { throw Unreadable() }
                return identity
            },
            agentRules: { TLSServerConfiguration(identity: $0, services: [.init("test/1", clientCertificate: .none)]) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func `a renewed certificate takes effect for both ports`() throws {
        let folder = try Folder()
        let certificates = try certificates(folder)
        let (agents, api) = (certificates.agents, certificates.api)
        try folder.renew()
        certificates.renewIfDue()
        #expect(certificates.agents !== agents)
        #expect(certificates.api !== api)
    }

    @Test func `the same certificate keeps its contexts, and the sessions that resume in them`() throws {
        let certificates = try certificates(Folder())
        let agents = certificates.agents
        certificates.renewIfDue()
        #expect(certificates.agents === agents)
    }

    @Test func `a certificate that cannot be renewed leaves the old one in use`() throws {
        let folder = try Folder()
        let certificates = try certificates(folder)
        let agents = certificates.agents
        folder.identity.withLock { $0 = nil }
        certificates.renewIfDue()
        #expect(certificates.agents === agents)
    }
}
