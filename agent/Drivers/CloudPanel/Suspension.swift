import DriverKit
import Model
import WireProtocol

/// A suspended site is answered by a file of ours that nginx reads before the panel's, which stays as it is; so the
/// panel may write its own as often as it likes. See docs/decisions/0014-suspending-a-site.md.
extension CloudPanelDriver {
    func suspendSite(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let domain = try domain(of: call)
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            let changed = try await suspend(site)
            return ActionOutcome(changed: changed, observed: describe(site))
        }
    }

    func resumeSite(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let domain = try domain(of: call)
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            let changed = try await lift(domain, reload: true)
            return ActionOutcome(changed: changed, observed: describe(site))
        }
    }

    private func domain(of call: ActionCall) throws(DriverError) -> String {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        try reader.finish()
        try call.concerns("site/\(domain)")
        return domain
    }

    /// Makes the suspension be there and be what the site's own configuration asks for.
    /// - Returns: whether it was not so.
    func suspend(_ site: PanelSite) async throws(DriverError) -> Bool {
        guard let text = Files.text(places.host(site.domain)) else {
            throw DriverError(.notFound, "nginx has no configuration of \(site.domain)")
        }
        let suspension = SuspendedHost(site, HostConfiguration(text), places, aliases: aliases(of: site.domain))
        guard let wanted = suspension.text else {
            throw DriverError(.failed, "nginx's configuration of \(site.domain) has no server with a name")
        }
        let isCopied = try suspension.needsCertificate ? copyCertificate(of: site.domain) : false
        let path = places.suspension(site.domain)
        let before = Files.bytes(path)
        let isNoted = Files.exists(reloadMark(site.domain))
        if before == Array(wanted.utf8) && !isCopied && !isNoted { return false }
        // Between the file and nginx's knowing of it this process may end: the mark says that nginx was not told yet.
        try Files.makeFolder(places.suspended)
        try Files.write([], to: reloadMark(site.domain), mode: 0o600)
        try Files.write(Array(wanted.utf8), to: path, mode: 0o644)
        do throws(DriverError) {
            try await reloadNginx()
        } catch {
            try restore(before, at: path)
            Files.remove(reloadMark(site.domain))
            throw error
        }
        Files.remove(reloadMark(site.domain))
        return true
    }

    /// Takes a suspension away. The panel's own configuration stands where it always stood.
    /// - Returns: whether there was one.
    func lift(_ domain: String, reload: Bool) async throws(DriverError) -> Bool {
        let path = places.suspension(domain)
        let wasThere = Files.exists(path)
        if wasThere {
            try Files.makeFolder(places.suspended)
            try Files.write([], to: reloadMark(domain), mode: 0o600)
            Files.remove(path)
            if Files.exists(path) { throw DriverError(.failed, "\(path) cannot be removed") }
        }
        if Files.exists(reloadMark(domain)) && (reload || wasThere) {
            do throws(DriverError) {
                try await reloadNginx()
            } catch { throw error.afterChange() }
        }
        for copy in [copiedCertificate(domain), copiedKey(domain), reloadMark(domain)] { Files.remove(copy) }
        return wasThere
    }

    /// Lets nginx check everything and take it in. A configuration that it refuses is not taken in.
    func reloadNginx() async throws(DriverError) {
        let nginx = places.program("nginx")
        if let problem = await tool.system(nginx, ["-t"]).problem {
            throw DriverError(.failed, "nginx refuses its configuration", cause: problem)
        }
        if let problem = await tool.system(nginx, ["-s", "reload"]).problem {
            throw DriverError(.failed, "nginx could not be told", retryable: true, cause: problem)
        }
    }

    private func restore(_ before: [UInt8]?, at path: String) throws(DriverError) {
        guard let before else {
            Files.remove(path)
            return
        }
        try Files.write(before, to: path, mode: 0o644)
    }

    /// Whether the copies were others, or none.
    private func copyCertificate(of domain: String) throws(DriverError) -> Bool {
        guard let certificate = Files.bytes(places.certificate(domain)), let key = Files.bytes(places.key(domain))
        else { throw DriverError(.failed, "the certificate of \(domain) cannot be read") }
        if Files.bytes(copiedCertificate(domain)) == certificate && Files.bytes(copiedKey(domain)) == key {
            return false
        }
        try Files.makeFolder(places.suspended)
        try Files.write(key, to: copiedKey(domain), mode: 0o600)
        try Files.write(certificate, to: copiedCertificate(domain), mode: 0o600)
        return true
    }

    private func copiedCertificate(_ domain: String) -> String { "\(places.suspended)/\(domain).crt" }
    private func copiedKey(_ domain: String) -> String { "\(places.suspended)/\(domain).key" }
    private func reloadMark(_ domain: String) -> String { "\(places.suspended)/\(domain).reload" }

    /// The domains of which something was changed that nginx was not told yet.
    var untoldDomains: [String] {
        Files.names(in: places.suspended).filter { $0.hasSuffix(".reload") }.map { String($0.dropLast(7)) }
            .filter(Grammar.domainName.accepts)
    }

    /// The domains with a suspension.
    var suspendedDomains: [String] {
        Files.names(in: places.hosts).filter { $0.hasSuffix(".conf") && $0.hasPrefix(PanelPlaces.suspensionPrefix) }
            .map { String($0.dropFirst(PanelPlaces.suspensionPrefix.count).dropLast(5)) }
            .filter(Grammar.domainName.accepts).sorted()
    }
}

/// nginx's configuration of a suspended site.
struct SuspendedHost {
    private let site: PanelSite
    private let servers: [HostConfiguration.Server]
    private let places: PanelPlaces

    /// - Parameter aliases: names that the site answers for beside the panel's.
    init(_ site: PanelSite, _ configuration: HostConfiguration, _ places: PanelPlaces, aliases: [String] = []) {
        self.site = site
        servers = configuration.servers.filter { !$0.names.isEmpty && !$0.listens.isEmpty }.map { server in
            var server = server
            if server.names.contains(site.domain) { server.names += aliases }
            return server
        }
        self.places = places
    }

    var needsCertificate: Bool { servers.contains(where: \.needsCertificate) }

    /// Nil where the panel's file has no server that could be suspended.
    var text: String? {
        guard !servers.isEmpty else { return nil }
        let head =
            "# \(site.domain) is suspended: this file stands before the panel's own. Innkeeper writes and removes it."
        return ([head] + servers.map(block)).joined(separator: "\n") + "\n"
    }

    private func block(_ server: HostConfiguration.Server) -> String {
        var lines = server.addresses.map { "listen \($0);" }
        lines.append("server_name \(server.names.joined(separator: " "));")
        if server.needsCertificate {
            lines.append("ssl_certificate \(places.suspended)/\(site.domain).crt;")
            lines.append("ssl_certificate_key \(places.suspended)/\(site.domain).key;")
        }
        lines.append("access_log off;")
        if let folder { lines.append("location ^~ /.well-known/acme-challenge/ { root \(folder); }") }
        let headers = "add_header Retry-After 3600 always; add_header Cache-Control no-store always;"
        lines.append("location / { default_type text/plain; \(headers) return 503 \"This site is suspended.\\n\"; }")
        return "server {\n" + lines.map { "  \($0)\n" }.joined() + "}"
    }

    /// Where certificates are proved, so that they are renewed meanwhile; nil for a path that could say more to nginx.
    private var folder: String? {
        let path = "/home/\(site.user)/htdocs/\(site.rootDirectory)"
        return Grammar.absolutePath.accepts(path) && !path.contains(where: { " ;{}\"'$\\#".contains($0) })
            ? places.root + path : nil
    }
}
