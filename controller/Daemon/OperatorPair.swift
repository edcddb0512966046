import Transport
import WireProtocol

/// The files of the operator's own certificate for the API (`api_tls`): the chain, his own first, and its key.
struct OperatorPair: Sendable, Hashable {
    var certificate: String
    var key: String

    init(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["certificate", "key"])
        certificate = try fields.string("certificate")
        key = try fields.string("key")
        for (name, path) in [("certificate", certificate), ("key", key)] where !path.hasPrefix("/") {
            throw FieldError(path: name, problem: .value(expected: "an absolute path"))
        }
    }

    /// What the files hold now.
    /// - Throws: that one cannot be read, or that they are not of one kind; each names the file.
    func identity() throws -> TLSIdentity {
        let chain = try named(certificate) { try Certificate.chain(pem: PEMFile.read(certificate)) }
        let key = try named(self.key) { try PrivateKey(publicPEM: PEMFile.readKey(self.key)) }
        guard key.matches(chain[0]) else {
            throw PairError(description: "\(self.key) is not the key of \(chain[0]) in \(certificate)")
        }
        return try TLSIdentity(chain: chain, key: key)
    }

    private func named<Result>(_ path: String, _ read: () throws -> Result) throws -> Result {
        do { return try read() } catch let error as CryptoError { throw PairError(description: "\(path): \(error)") }
    }
}

/// Certificate and key that cannot serve.
struct PairError: Error, CustomStringConvertible {
    let description: String
}
