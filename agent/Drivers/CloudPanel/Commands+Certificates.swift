import DriverKit
import Glibc
import Model
import Transport
import WireProtocol

/// Certificates: what nginx serves is read from the file that it reads, and looked into.
extension CloudPanelDriver {
    func showCertificate(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        try reader.finish()
        let site = try await database.requireSite(domain)
        return .seen(try served(site).json)
    }

    /// Each order is a new one for the authority, which counts them: it is placed only when it is needed.
    func orderCertificate(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let spec = try CertificateSpec(&reader)
        try reader.finish()
        try call.concerns("site/\(spec.domain)")
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(spec.domain)
            let before = try? served(site)
            if let before, !spec.isForced, spec.isFulfilled(by: before, at: .now() + spec.spare) {
                return .seen(before.json)
            }
            let answer = try await tool.call("lets-encrypt:install:certificate", spec.options)
            let after = try served(try await database.requireSite(spec.domain))
            let isNew = after.certificate.fingerprint != before?.certificate.fingerprint
            guard isNew, spec.isFulfilled(by: after, at: .now()) else {
                let error = answer.failure("nginx has no certificate for \(spec.names.joined(separator: ", "))")
                throw isNew ? error.afterChange() : error
            }
            return ActionOutcome(changed: true, observed: after.json)
        }
    }

    func installCertificate(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        let wanted = try reader.certificates("certificate")
        let chain = try reader.value("chain") == nil ? nil : reader.certificates("chain")
        try reader.finish()
        let key = try call.privateKey()
        try call.concerns("site/\(domain)")
        guard wanted.leaf.isValid(at: Timestamp.now().milliseconds) else {
            throw .invalidArgument("certificate", "is not valid at this time")
        }
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            let before = try? served(site)
            if let before, before.certificate == wanted.leaf, site.certificate?.kind == "imported" {
                return .seen(before.json)
            }
            let answer = try await install(domain, wanted.pem, chain?.pem, key)
            let after = try served(try await database.requireSite(domain))
            guard after.certificate == wanted.leaf else { throw answer.failure("nginx has another certificate") }
            return ActionOutcome(changed: true, observed: after.json)
        }
    }

    /// The key goes in a file that only root can read, in memory, for as long as the tool runs.
    private func install(
        _ domain: String, _ certificate: String, _ chain: String?, _ key: String
    ) async throws(DriverError) -> PanelAnswer {
        let handover = try Handover(in: places.handover)
        defer { handover.remove() }
        var options = [
            ("domainName", domain), ("privateKey", try handover.add("private.key", key)),
            ("certificate", try handover.add("certificate.crt", certificate)),
        ]
        if let chain { options.append(("certificateChain", try handover.add("chain.crt", chain))) }
        return try await tool.call("site:install:certificate", options, secrets: [key])
    }

    private func served(_ site: PanelSite) throws(DriverError) -> ServedCertificate {
        guard let text = Files.text(places.certificate(site.domain)) else {
            throw DriverError(.notFound, "site \(site.domain) has no certificate")
        }
        let chain: [Certificate]
        do throws(CryptoError) {
            chain = try Certificate.chain(pem: text)
        } catch {
            throw DriverError(.failed, "the certificate of \(site.domain) cannot be read", cause: "\(error)")
        }
        // The first one is the site's, the others are its issuers'.
        guard let first = chain.first else {
            throw DriverError(.failed, "the certificate of \(site.domain) is empty")
        }
        return ServedCertificate(domain: site.domain, kind: site.certificate?.kind ?? "unknown", certificate: first)
    }
}

/// The certificate that nginx serves for a site.
struct ServedCertificate: Sendable {
    let domain: String
    let kind: String
    let certificate: Certificate

    var json: JSONObject {
        [
            "domain": .string(domain), "kind": .string(kind),
            "names": .array(certificate.dnsNames.map { .string($0) }), "issuer": .string(certificate.issuer),
            "not_before": .integer(certificate.notBefore), "not_after": .integer(certificate.notAfter),
            "fingerprint": .string(certificate.fingerprint),
        ]
    }
}

/// A certificate of Let's Encrypt for a site and other names.
struct CertificateSpec: Sendable {
    let domain: String
    let others: [String]
    /// One that ends sooner is ordered anew.
    let spare: Duration
    let isForced: Bool

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        domain = try reader.string("domain")
        others = try reader.strings("names") ?? []
        spare = .seconds(86_400 * (try reader.integer("renew_within_days")))
        isForced = try reader.bool("force")
    }

    var names: [String] { [domain] + others }

    /// Apex and www come of themselves, and both must lead here.
    var options: [(name: String, value: String)] {
        let common = [("domainName", domain)]
        return others.isEmpty ? common : common + [("subjectAlternativeName", others.joined(separator: ","))]
    }

    /// Whether it is of the right kind and has all the names, and will be valid at that time.
    func isFulfilled(by served: ServedCertificate, at time: Timestamp) -> Bool {
        served.kind == "lets-encrypt" && served.certificate.notAfter > time.milliseconds
            && names.allSatisfy { name in served.certificate.dnsNames.contains { Self.covers($0, name) } }
    }

    private static func covers(_ pattern: String, _ name: String) -> Bool {
        guard pattern.hasPrefix("*.") else { return pattern.lowercased() == name }
        return name.split(separator: ".").dropFirst().joined(separator: ".") == pattern.dropFirst(2).lowercased()
    }
}

extension ArgumentReader {
    /// One or more certificates as PEM.
    fileprivate mutating func certificates(_ key: String) throws(DriverError) -> (pem: String, leaf: Certificate) {
        let text = try string(key)
        guard let all = try? Certificate.chain(pem: text), let leaf = all.first else {
            throw .invalidArgument(key, "must be certificates as PEM, at most 64 KiB")
        }
        // Only what was understood is handed on.
        return (all.map(\.pem).joined(separator: ""), leaf)
    }
}

extension ActionCall {
    fileprivate func privateKey() throws(DriverError) -> String {
        var reader = ArgumentReader(secrets)
        let text = try reader.string("private_key")
        let isKey =
            text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----")
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A || $0 == 0x0D }
        guard isKey else { throw DriverError(.invalidArgument, "secret private_key must be a key as PEM") }
        return text
    }
}
