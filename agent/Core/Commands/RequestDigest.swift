import Transport
package import WireProtocol

/// The fingerprint of a command, by which a repeat is told from another command under the same id.
package enum RequestDigest {
    /// Hexadecimal SHA-256. The secrets go in as a digest of their own together with the id, so that equal secrets of two
    /// commands do not show as equal on disk.
    package static func of(_ command: Command) -> String {
        let secrets = command.sortedSecrets
        let digest = secrets.isEmpty ? "" : Crypto.hex(Crypto.hmacSHA256(key: Array(command.id.utf8), secrets))
        return Crypto.hex(Crypto.sha256(command.identity(secretsDigest: digest)))
    }
}
