package import DaemonKit
package import Model
package import Transport
import WireProtocol

/// Who this node is to its controller: all in one file, so that key and certificate are replaced together or not at all.
package struct NodeIdentity: Sendable {
    package let node: String
    /// HOST:PORT as given at enrolment.
    package let controller: String
    /// The name that the controller's certificate must carry.
    package let serverName: String
    package var key: PrivateKey
    package var certificate: Certificate
    package var authority: Certificate

    package static let fileName = "identity.json"

    package init(
        node: String, controller: String, serverName: String, key: PrivateKey, certificate: Certificate,
        authority: Certificate
    ) {
        self.node = node
        self.controller = controller
        self.serverName = serverName
        self.key = key
        self.certificate = certificate
        self.authority = authority
    }

    package var renewalDue: Timestamp {
        RenewalTime.due(
            notBefore: Timestamp(milliseconds: certificate.notBefore),
            notAfter: Timestamp(milliseconds: certificate.notAfter))
    }

    package func isExpired(at now: Timestamp) -> Bool { certificate.notAfter <= now.milliseconds }

    /// The identity in the data folder; nil when this node was never enrolled.
    package static func load(from data: DataDirectory) throws(IdentityError) -> NodeIdentity? {
        try load(folder: data.path)
    }

    /// The same without the folder's lock, for one who only looks.
    package static func load(folder: String) throws(IdentityError) -> NodeIdentity? {
        let path = "\(folder)/\(fileName)"
        let bytes: [UInt8]
        do throws(FileError) {
            try FileMode.requirePrivate(path)
            bytes = try AtomicFile.read(path)
        } catch {
            guard !error.isMissing else { return nil }
            throw .file(error)
        }
        return try decode(bytes, path)
    }

    /// Replaces the identity in the data folder, on the disk when it returns.
    package func store(in data: DataDirectory) throws(IdentityError) {
        var object: JSONObject = [
            "node": .string(node), "controller": .string(controller),
            "server_name": .string(serverName), "key": .string(key.pem),
            "certificate": .string(certificate.pem), "authority": .string(authority.pem),
        ]
        object[Self.digestKey] = .string(Self.digest(of: object))
        var bytes: [UInt8] = []
        JSONValue.object(object).encode(into: &bytes)
        do throws(FileError) { try AtomicFile.write(bytes, to: data.file(Self.fileName)) } catch { throw .file(error) }
    }

    private static let digestKey = "digest"
    private static let keys: Set<String> = [
        "node", "controller", "server_name", "key", "certificate", "authority", digestKey,
    ]

    /// Over everything else in the file, in its order.
    private static func digest(of object: JSONObject) -> String {
        var bytes: [UInt8] = []
        for member in object.members where member.key != digestKey { bytes += member.key.utf8 + member.value.encoded }
        return Crypto.hex(Crypto.sha256(bytes))
    }

    private static func decode(_ bytes: [UInt8], _ path: String) throws(IdentityError) -> NodeIdentity {
        do {
            guard let fields = try JSONParser.parse(bytes).asObject else {
                throw IdentityError.damaged(path, "no object")
            }
            try fields.allowOnly(keys)
            // Files of the first version have none.
            if let digest = try fields.optionalString(digestKey), digest != Self.digest(of: fields) {
                throw IdentityError.damaged(path, "it is not as it was written")
            }
            let key = try PrivateKey(pem: fields.string("key"))
            let certificate = try Certificate(pem: fields.string("certificate"))
            guard key.matches(certificate) else {
                throw IdentityError.damaged(path, "key and certificate do not match")
            }
            let authority = try Certificate(pem: fields.string("authority"))
            guard certificate.isSigned(by: authority) else {
                throw IdentityError.damaged(path, "the certificate is not from its authority")
            }
            return NodeIdentity(
                node: try fields.string("node"), controller: try fields.string("controller"),
                serverName: try fields.string("server_name"), key: key, certificate: certificate,
                authority: authority)
        } catch let error as IdentityError { throw error } catch { throw .damaged(path, "\(error)") }
    }
}

/// Why there is no usable identity.
package enum IdentityError: Error, Sendable, CustomStringConvertible {
    case file(FileError)
    case damaged(String, String)
    /// The controller sent a certificate that is not for this node's key or not from its authority.
    case wrongCertificate(String)

    package var description: String {
        switch self {
        case .file(let error): error.description
        case .damaged(let path, let problem):
            "\(path) cannot be used (\(problem)); nothing was changed. Put it back as it was, or enrol this node again"
        case .wrongCertificate(let problem): "the controller sent a certificate that cannot be used: \(problem)"
        }
    }
}
