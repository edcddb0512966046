@testable import Transport

/// Certificates, requests and keys as PEM or DER. The library reads them; what we make of them is stable and bounded.
enum Certificates {
    static let targets = [
        FuzzTarget("certificate") { input in
            if let certificate = try attempt({ () throws(CryptoError) in try Certificate(der: Array(input)) }) {
                try checked(certificate)
            }
            let chain = try attempt { () throws(CryptoError) in try Certificate.chain(pem: text(input), atMost: 3) }
            try require((1...3).contains(chain?.count ?? 1), "a chain of \(chain?.count ?? 0)")
            for certificate in chain ?? [] { try checked(certificate) }
        },
        FuzzTarget("request-and-key") { input in
            let text = text(input)
            if let request = try attempt({ () throws(CryptoError) in try CertificateSigningRequest(pem: text) }) {
                try require(request.publicKeyPin.utf8.count == 64, "a pin of another length")
            }
            if let key = try attempt({ () throws(CryptoError) in try PrivateKey(pem: text) }) {
                let again = try PrivateKey(pem: key.pem)
                try require(again.pem == key.pem && "\(key)" == "PrivateKey(P-256)", "a key changes, or shows itself")
            }
            _ = try attempt { () throws(CryptoError) in try SubjectName(host: text) }
        },
    ]

    private static func checked(_ certificate: Certificate) throws {
        let again = try Certificate(pem: certificate.pem)
        try require(again == certificate, "a certificate reads back as another")
        try require(again.serial == certificate.serial && again.nodeID == certificate.nodeID, "other fields")
        try require(!certificate.serial.isEmpty && certificate.serial.utf8.count % 2 == 0, "an odd serial")
        try require(
            certificate.fingerprint.utf8.count == 64 && certificate.publicKeyPin.utf8.count == 64, "odd digests")
        try require(certificate.nodeID == nil || certificate.uris.count >= 1, "a node id out of nothing")
        try require(!certificate.isValid(at: .max), "valid for ever")
        _ = "\(certificate)"
    }
}
