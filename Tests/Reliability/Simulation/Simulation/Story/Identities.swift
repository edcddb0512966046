import AgentCore
import DaemonKit
import Model
import Transport
import WireProtocol

/// Keys, certificates and folders, made once for all seeds of a run: they are dear, and nothing depends on their bytes.
package struct Identities: Sendable {
    package static let nodes = 4
    /// The start of the virtual world, in ms since 1970.
    private static let start: Int64 = 1_767_603_600_000

    let authority: CertificateAuthority
    let nodes: [Int: NodeIdentity]
    let folders: [Int: DataDirectory]

    /// - Parameter folder: a folder of its own; nothing of worth is written there.
    package init(in folder: String) throws {
        authority = try CertificateAuthority.create(commonName: "simulation", days: 365, now: Self.start)
        var nodes: [Int: NodeIdentity] = [:]
        var folders: [Int: DataDirectory] = [:]
        for number in 1...Self.nodes {
            let name = "node-\(number)"
            let key = try PrivateKey.generate()
            let request = try CertificateSigningRequest(
                pem: CertificateSigningRequest.make(key: key, commonName: name))
            let certificate = try authority.issueNode(
                csr: request, nodeID: name, validity: .seconds(30 * 86_400), now: Self.start)
            nodes[number] = NodeIdentity(
                node: name, controller: "10.0.0.1:7443", serverName: "controller", key: key, certificate: certificate,
                authority: authority.certificate)
            folders[number] = try DataDirectory("\(folder)/machine-\(number)")
        }
        (self.nodes, self.folders) = (nodes, folders)
    }
}
