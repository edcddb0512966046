import Logging
import Synchronization
import TestSupport
import Testing
import Transport
import WireProtocol

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

    private func certificates(
        _ folder: Folder, pair: OperatorPair? = nil, report: @escaping @Sendable (String?) async -> Void = { _ in }
    ) throws -> ServerCertificates {
        try ServerCertificates(
            make: {
                guard let identity = folder.identity.withLock({ $0 }) else { throw Unreadable() }
                return identity
            },
            pair: pair,
            agentRules: { TLSServerConfiguration(identity: $0, services: [.init("test/1", clientCertificate: .none)]) },
            report: report, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
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

    /// The operator's files in a folder.
    private struct Files {
        let scratch: ScratchFolder
        let pair: OperatorPair

        init(_ identity: TLSIdentity) throws {
            scratch = try ScratchFolder("pair")
            pair = try OperatorPair([
                "certificate": .string(scratch.file("chain.pem")), "key": .string(scratch.file("key.pem")),
            ])
            try put(certificate: identity)
            try put(key: identity)
        }

        func put(certificate identity: TLSIdentity) throws {
            try PEMFile.write(identity.chain.map(\.pem).joined(), to: pair.certificate)
        }

        func put(key identity: TLSIdentity) throws { try PEMFile.write(identity.key.pem, to: pair.key) }
    }

    @Test func `the operator's own certificate serves the API, and is read anew`() async throws {
        let (folder, operators) = (try Folder(), try Folder())
        let files = try Files(#require(operators.identity.withLock { $0 }))
        let told = Mutex<[String?]>([])
        let certificates = try certificates(folder, pair: files.pair) { trouble in told.withLock { $0.append(trouble) }
        }
        let (agents, api) = (certificates.agents, certificates.api)
        // That of the house goes on to serve the agents alone.
        try folder.renew()
        certificates.renewIfDue()
        #expect(certificates.agents !== agents && certificates.api === api)
        await certificates.reload()
        #expect(certificates.api === api)

        try operators.renew()
        let renewed = try #require(operators.identity.withLock { $0 })
        try files.put(certificate: renewed)
        await certificates.reload()
        #expect(certificates.api === api, "a certificate without its key serves nothing")
        try files.put(key: renewed)
        await certificates.reload()
        #expect(certificates.api !== api)
        let said = told.withLock { $0 }
        #expect(said.count == 3 && said[0] == nil && said[2] == nil)
        #expect(said[1]?.contains(files.pair.key) == true, "\(said)")
    }

    @Test func `a pair that cannot serve is named at the start`() throws {
        let (folder, operators) = (try Folder(), try Folder())
        let identity = try #require(operators.identity.withLock { $0 })
        let files = try Files(identity)
        try PEMFile.write("nothing", to: files.pair.certificate)
        let error = #expect(throws: PairError.self) { _ = try certificates(folder, pair: files.pair) }
        #expect(error?.description.hasPrefix(files.pair.certificate) == true)
        try files.put(certificate: identity)
        try PEMFile.write(identity.key.pem, to: files.pair.key, mode: 0o644)
        #expect(throws: PEMFileError.self) { _ = try certificates(folder, pair: files.pair) }
    }
}
