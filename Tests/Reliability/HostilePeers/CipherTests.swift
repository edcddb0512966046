import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension HostilePeers {
    /// What a scanner finds at both ports. It takes minutes: only when the long part is asked for.
    @Suite(.enabled(if: Torture.isOn)) struct CipherTests {
        /// What every certificate of a house authority gets: nobody else vouches for it, and no list of revoked ones is
        /// published; agents and callers hold the authority themselves.
        private static let ownAuthority: Set<String> = [
            "cert_chain_of_trust", "cert_crlDistributionPoints", "cert_ocspURL", "cert_revocation", "cert_trust",
            "cert_notRevoked", "DNS_CAArecord", "cert_expirationStatus",
        ]

        @Test func `testssl finds nothing weak at the API`() async throws {
            try await Witness.watch(working: true) { ground, log in
                let findings = try await scan(ground, ground.apiPort, "-p", "-s", "-S", "-U")
                #expect(findings["TLS1_3"]?.finding.contains("offered") == true)
                #expect(findings["TLS1_2"]?.finding == "not offered")
                expectNothingWeak(findings)
            }
        }

        /// It shows no certificate and speaks a protocol of its own: there is nothing to be found but closed doors.
        @Test func `testssl finds nothing weak at the agents' port`() async throws {
            try await Witness.watch(working: true) { ground, log in
                let findings = try await scan(ground, ground.agentPort, "-p", "-U")
                for version in ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2"] {
                    #expect(findings[version]?.finding == "not offered", "\(version)")
                }
                expectNothingWeak(findings)
            }
        }

        private typealias Finding = (severity: String, finding: String)

        private func expectNothingWeak(_ findings: [String: Finding]) {
            let weak = findings.filter { id, finding in
                ["LOW", "MEDIUM", "HIGH", "CRITICAL"].contains(finding.severity) && !Self.ownAuthority.contains(id)
            }
            #expect(weak.isEmpty, "\(weak)")
        }

        private func scan(_ ground: Ground, _ port: Int, _ checks: String...) async throws -> [String: Finding] {
            let file = ground.folder.file("\(ground.name("testssl")).json")
            _ = try await Child.run(
                ProcessRequest(
                    "testssl",
                    ["--warnings", "off", "--quiet", "--color", "0", "--jsonfile", file] + checks + [
                        "127.0.0.1:\(port)"
                    ],
                    environment: ["TERM": "dumb", "HOME": ground.folder.path], deadline: .seconds(500)))
            let name = file.split(separator: "/").last.map(String.init) ?? ""
            guard case .array(let items) = try JSONParser.parse(ground.folder.read(name), limits: .local) else {
                throw SetupFailure("testssl wrote no list")
            }
            var findings: [String: Finding] = [:]
            for case .object(let item) in items {
                findings[try item.string("id")] = (try item.string("severity"), try item.string("finding"))
            }
            return findings
        }
    }
}
