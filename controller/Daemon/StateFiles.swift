import DaemonKit
import Glibc
import Model
import Store
import Transport

/// The files of a controller's data directory, and the certificates in them.
struct StateFiles {
    let directory: DataDirectory

    init(_ directory: DataDirectory) { self.directory = directory }

    var store: String { directory.file("controller.sqlite") }
    var authorityCertificate: String { directory.file("ca.pem") }
    var authorityKey: String { directory.file("ca.key") }
    private var serverCertificate: String { directory.file("server.pem") }
    var serverKey: String { directory.file("server.key") }
    var ticketsKey: String { directory.file("tickets.key") }
    private var serverNames: String { directory.file("server.names") }

    var mark: String { directory.file("controller.mark") }
    var path: String { directory.path }

    var isInitialised: Bool { access(authorityCertificate, F_OK) == 0 }

    /// Ten years: agents hold the authority's certificate, so replacing it means enrolling again.
    private static let authorityDays = 3650
    private static let serverValidity: Duration = .seconds(397 * 86_400)
    private static let renewWhenLeft: Duration = .seconds(30 * 86_400)

    /// What a controller cannot work without and cannot make again.
    private static let irreplaceable = ["controller.sqlite", "ca.key", "ca.pem", "server.names"]

    /// Says what is missing in a folder, and what to do about it.
    static func requireController(in folder: String) throws(ConfigurationError) {
        let missing = irreplaceable.filter { access("\(folder)/\($0)", F_OK) != 0 }
        guard !missing.isEmpty else { return }
        guard missing.count < irreplaceable.count else {
            throw ConfigurationError(
                message: "\(folder) holds no controller; run: innkeeper-controller init --data \(folder)")
        }
        let names = missing.map { "\(folder)/\($0)" }.joined(separator: ", ")
        throw ConfigurationError(
            message: "\(names) \(missing.count == 1 ? "is" : "are") missing; nothing was changed. Put back what was "
                + "there, or bring in a backup: innkeeper-controller restore --data \(folder) FILE "
                + "(an init that was cut short may be run again)")
    }

    /// Whether `init` may work here: nothing is there, or what an init that was cut short has left.
    func requireNoController() async throws {
        guard !isInitialised else {
            throw ConfigurationError(message: "\(path) holds a controller already; nothing was changed")
        }
        guard access(store, F_OK) == 0, Store.isFilled(store) else { return }
        let existing = try Store(path: store)
        let isUsed = try await existing.hasBeenUsed()
        await existing.close()
        guard isUsed else { return }
        throw ConfigurationError(
            message:
                "\(authorityCertificate) is missing, and the store beside it has been in use; nothing was changed. "
                + "Put it back, or bring in a backup: innkeeper-controller restore --data \(path) FILE")
    }

    /// Makes authority and server certificate; the authority's certificate is the last file, the mark of a whole init.
    /// - Parameter last: what else must be done before that mark.
    func createAuthority(names: [String], last: () throws -> Void) throws {
        let authority = try CertificateAuthority.create(
            commonName: "Innkeeper \(Crypto.hex(Crypto.randomBytes(4)))", days: Self.authorityDays,
            now: Timestamp.now().milliseconds)
        try AtomicFile.write(Array(names.map { $0 + "\n" }.joined().utf8), to: serverNames)
        try issueServer(authority, names: Self.localNames + names)
        try PEMFile.write(authority.key.pem, to: authorityKey)
        try last()
        try PEMFile.write(authority.certificate.pem, to: authorityCertificate, mode: 0o644)
    }

    func authority() throws -> CertificateAuthority {
        let (certificate, key) = (try PEMFile.read(authorityCertificate), try PEMFile.readKey(authorityKey))
        do throws(CryptoError) {
            return try CertificateAuthority(certificatePEM: certificate, keyPEM: key)
        } catch {
            throw ConfigurationError(
                message: "\(authorityCertificate) and \(authorityKey) cannot be used (\(error)); nothing was changed. "
                    + "Put them back as they were, or bring in a backup: innkeeper-controller restore --data \(path) FILE"
            )
        }
    }

    /// The listeners' identity: issued again when it nears its end or a name is missing from it.
    func serverIdentity(_ authority: CertificateAuthority, extraNames: [String]) throws -> TLSIdentity {
        let kept = String(decoding: try AtomicFile.read(serverNames), as: UTF8.self).split(separator: "\n").map(
            String.init)
        let names = Self.localNames + kept + extraNames
        if let identity = try? readServer(), isGood(identity.chain[0], names) {
            return try withIssuer(identity, authority)
        }
        try issueServer(authority, names: names)
        return try withIssuer(readServer(), authority)
    }

    /// The keys of TLS tickets, kept so that a fleet resumes its sessions after a restart instead of shaking hands anew.
    func ticketKeys() throws -> [UInt8] {
        let path = ticketsKey
        if let text = try? PEMFile.readKey(path), let keys = Crypto.bytes(hex: text.prefix { $0 != "\n" }),
            keys.count == 80
        {
            return keys
        }
        let keys = Crypto.randomBytes(80)
        try PEMFile.write(Crypto.hex(keys) + "\n", to: path)
        return keys
    }

    private func withIssuer(_ identity: TLSIdentity, _ authority: CertificateAuthority) throws -> TLSIdentity {
        try TLSIdentity(chain: [identity.chain[0], authority.certificate], key: identity.key)
    }

    private func readServer() throws -> TLSIdentity {
        try TLSIdentity(
            chain: [Certificate(pem: PEMFile.read(serverCertificate))], key: PrivateKey(pem: PEMFile.readKey(serverKey))
        )
    }

    private func isGood(_ certificate: Certificate, _ names: [String]) -> Bool {
        let left = Timestamp(milliseconds: certificate.notAfter) - Timestamp.now()
        let carried = Set(certificate.dnsNames + certificate.ipAddresses)
        return left > Self.renewWhenLeft && names.allSatisfy(carried.contains)
    }

    private func issueServer(_ authority: CertificateAuthority, names: [String]) throws {
        let key = try PrivateKey.generate()
        var unique: [String] = []
        for name in names where !unique.contains(name) { unique.append(name) }
        let certificate = try authority.issueServer(
            key: key, names: unique, validity: Self.serverValidity, now: Timestamp.now().milliseconds)
        // Key first: a certificate without its key is made again at the next start, as is a pair that does not match.
        try PEMFile.write(key.pem, to: serverKey)
        try PEMFile.write(certificate.pem, to: serverCertificate, mode: 0o644)
    }

    /// `localhost`, the loopback addresses and this machine's own name.
    private static var localNames: [String] {
        var buffer = [CChar](repeating: 0, count: 256)
        let known = ["localhost", "127.0.0.1", "::1"]
        guard gethostname(&buffer, 255) == 0 else { return known }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).lowercased()
        return Grammar.nodeName.accepts(name) ? known + [name] : known
    }
}
