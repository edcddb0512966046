import Processes
import TestSupport
import Transport

/// `openssl s_client`, a client that is not ours, with the identity of a node.
struct OpenSSLClient: Sendable {
    let port: Int
    let folder: ScratchFolder

    /// What it said until the connection ended.
    /// - Parameter script: shell commands whose output it sends; the connection stays open until they end.
    func talk(_ arguments: [String], saying script: String = "sleep 1") async throws -> String {
        let words = ["s_client", "-connect", "127.0.0.1:\(port)", "-servername", "localhost"] + arguments
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        let outcome = try await Child.run(
            ProcessRequest(
                "/bin/sh", ["-c", "( \(script) ) | timeout 60 openssl \(quoted) 2>&1"], deadline: .seconds(90)))
        return outcome.outputText
    }

    /// The arguments that make it present an identity.
    func presenting(_ identity: TLSIdentity) throws -> [String] {
        let name = "openssl-\(UInt32.random(in: 0 ... .max))"
        try folder.write(Array(identity.chain[0].pem.utf8), to: "\(name).crt")
        try folder.write(Array(identity.key.pem.utf8), to: "\(name).pkey")
        return ["-cert", folder.file("\(name).crt"), "-key", folder.file("\(name).pkey")]
    }
}
