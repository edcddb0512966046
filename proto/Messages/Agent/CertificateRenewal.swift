/// Asks for a new certificate for the same node, with a new key.
package struct CertificateRenewal: WireMessage {
    package static let type = "renew"

    /// PEM.
    package var csr: String

    package init(csr: String) { self.csr = csr }

    package init(reading fields: JSONObject) throws(FieldError) { csr = try fields.pem("csr") }

    package func write(_ fields: inout FieldWriter) { fields.put("csr", csr) }
}

extension JSONObject {
    /// Text that begins as PEM does; whether it holds what it should is for the reader of certificates to say.
    func pem(_ key: String) throws(FieldError) -> String {
        let text = try string(key)
        guard text.hasPrefix("-----BEGIN "), text.utf8.count <= 65_536 else {
            throw FieldError(path: key, problem: .value(expected: "PEM of at most 65536 bytes"))
        }
        return text
    }
}
