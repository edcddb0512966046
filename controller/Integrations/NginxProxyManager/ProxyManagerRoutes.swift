import ControllerCore
import IntegrationKit
import Model
import WireProtocol

extension ObjectProvider<ProxyRoute> {
    /// The mark lies in the host's `meta`.
    static func proxyManager(_ client: ProxyManagerClient) -> ObjectProvider {
        ObjectProvider(
            find: { name, mark throws(PortError) in
                let hosts = try await client.hosts(name)
                guard let host = hosts.first(where: { $0.mark == mark }) ?? hosts.first else { return nil }
                return MarkedObject(host.route, mark: host.mark)
            },
            put: { route, mark throws(PortError) in
                if let problem = route.problem { throw PortError(.refused, problem) }
                try await client.put(route, mark, isRepeat: false)
            },
            remove: { name, mark throws(PortError) in
                for host in try await client.hosts(name) where host.mark == mark {
                    _ = try await client.call("DELETE", "/nginx/proxy-hosts/\(host.id)", "route \(name)")
                }
            })
    }
}

/// A proxy host as it is there.
struct ProxyManagerHost: Sendable {
    var id: Int64
    var mark: String?
    var certificate: Int64
    /// Why nginx has not taken it up.
    var trouble: String?
    var route: ProxyRoute

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.asInteger, let names = json["domain_names"]?.asArray else { return nil }
        self.id = id
        let meta = json["meta"]
        mark = meta?["innkeeper"]?.asString
        certificate = json["certificate_id"]?.asInteger ?? 0
        trouble = meta?["nginx_err"]?.asString
        let target = ProxyTarget(
            isTLS: json["forward_scheme"]?.asString == "https", host: json["forward_host"]?.asString ?? "",
            port: json["forward_port"]?.asInteger ?? 0)
        route = ProxyRoute(
            domains: names.compactMap { $0.asString?.lowercased() }, target: target,
            caching: json["caching_enabled"].isOn, webSockets: json["allow_websocket_upgrade"].isOn)
        let covered = (json["certificate"]?["domain_names"]?.asArray ?? []).compactMap { $0.asString?.lowercased() }
        if certificate > 0, covered.sorted() == route.domains {
            route.tls = ProxyRoute.TLS(isForced: json["ssl_forced"].isOn, http2: json["http2_support"].isOn)
        }
        route.isServed = json["enabled"].isOn && meta?["nginx_online"]?.asBool == true
    }
}

extension JSONValue? {
    /// Older versions say 1 and 0.
    fileprivate var isOn: Bool { self?.asBool ?? (self?.asInteger == 1) }
}

extension ProxyManagerClient {
    /// All hosts that answer for a name.
    func hosts(_ domain: String) async throws(PortError) -> [ProxyManagerHost] {
        guard HostName.isValid(domain) else { throw PortError(.refused, "\(domain.quotable) is no name of a route") }
        let path = "/nginx/proxy-hosts?expand=certificate&query=\(domain)"
        let list = try await call("GET", path, "routes of \(domain)", isList: true)
        return (list.asArray ?? []).compactMap { ProxyManagerHost($0) }.filter { $0.route.domains.contains(domain) }
    }

    private func hosts(of route: ProxyRoute) async throws(PortError) -> [ProxyManagerHost] {
        var all: [Int64: ProxyManagerHost] = [:]
        for domain in route.domains {
            for host in try await hosts(domain) { all[host.id] = host }
        }
        return all.values.sorted { $0.id < $1.id }
    }

    /// Looks, makes or changes, and looks again: the answer to a change is written before nginx has been asked.
    /// - Parameter isRepeat: whether this was begun before, with an end that nobody knew.
    func put(_ route: ProxyRoute, _ mark: String, isRepeat: Bool) async throws(PortError) {
        let there = try await hosts(of: route)
        guard there.allSatisfy({ $0.mark == mark }) else {
            throw PortError(.conflict, "the proxy has a route for \(route.name) that is not this service's")
        }
        var certificate: Int64 = 0
        if route.tls != nil {
            guard let kept = try await certificates.find(route.domains), let id = Int64(kept.id) else {
                throw PortError(.refused, "there is no certificate for \(route.domains.joined(separator: ", ")) yet")
            }
            certificate = id
        }
        if let host = there.first, host.route == route, host.certificate == certificate { return }
        let body = route.body(certificate, mark)
        let id: Int64
        do throws(PortError) {
            if let host = there.first {
                // What was made twice is one again before the one takes up all names.
                for twin in there.dropFirst() {
                    _ = try await call("DELETE", "/nginx/proxy-hosts/\(twin.id)", "route \(route.name)")
                }
                let answer = try await call("PUT", "/nginx/proxy-hosts/\(host.id)", "route \(route.name)", body: body)
                guard !answer.isNull else { throw PortError(.silent, "route \(route.name) went away meanwhile") }
                id = host.id
            } else {
                let answer = try await call("POST", "/nginx/proxy-hosts", "route \(route.name)", body: body)
                guard let made = answer["id"]?.asInteger else {
                    throw PortError(.silent, "route \(route.name) was made and has no id")
                }
                id = made
            }
        } catch {
            // The row may be there though the call failed; and what failed may have been an old token.
            guard !isRepeat, error.kind == .silent || error.kind == .conflict else { throw error }
            await forgetSession()
            return try await put(route, mark, isRepeat: true)
        }
        try await checkServed(id, route)
    }

    private func checkServed(_ id: Int64, _ route: ProxyRoute) async throws(PortError) {
        let path = "/nginx/proxy-hosts/\(id)?expand=certificate"
        guard let host = ProxyManagerHost(try await call("GET", path, "route \(route.name)")) else {
            throw PortError(.silent, "route \(route.name) was made and is not there")
        }
        guard host.route.isServed else {
            let trouble = host.trouble.map { ": \($0.quotable)" } ?? ""
            throw PortError(.refused, "nginx has not taken up the route \(route.name)\(trouble)")
        }
    }
}

extension ProxyRoute {
    /// What is wrong with it as a wish; nil when nothing is. All of it ends up in nginx's configuration.
    fileprivate var problem: String? {
        guard (1...100).contains(domains.count), Set(domains).count == domains.count,
            domains.allSatisfy({ Grammar.domainName.accepts($0) })
        else { return "a route has 1 to 100 names, each once, in lower case" }
        guard IPAddress(target.host) != nil || Grammar.domainName.accepts(target.host) else {
            return "\(target.host.quotable) is neither an address nor a name"
        }
        return (1...65535).contains(target.port) ? nil : "a port is 1 to 65535"
    }

    fileprivate func body(_ certificate: Int64, _ mark: String) -> JSONValue {
        [
            "domain_names": .array(domains.map { .string($0) }), "forward_scheme": target.isTLS ? "https" : "http",
            "forward_host": .string(target.host), "forward_port": .integer(target.port),
            "certificate_id": .integer(certificate), "ssl_forced": .bool(tls?.isForced ?? false),
            "http2_support": .bool(tls?.http2 ?? false), "hsts_enabled": false, "hsts_subdomains": false,
            "block_exploits": true, "caching_enabled": .bool(caching), "allow_websocket_upgrade": .bool(webSockets),
            "access_list_id": 0, "advanced_config": "", "enabled": true, "locations": [],
            "meta": ["innkeeper": .string(mark)],
        ]
    }
}
