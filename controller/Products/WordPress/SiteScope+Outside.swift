import ControllerCore
import Model
import Saga
import Store
import WireProtocol

/// The site's own name, and who keeps what leads to it. Chosen once, so that what was made is asked for where it was made.
struct SiteName: StepOutput, Hashable {
    var host: String
    /// Integrations, by name.
    var dns: String
    var proxy: String
    /// Whether there was nothing of this name before the service had it: what is there now, where nothing bears a mark, is its own.
    var wasFree: Bool

    init(host: String, dns: String, proxy: String, wasFree: Bool) {
        (self.host, self.dns, self.proxy, self.wasFree) = (host, dns, proxy, wasFree)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (host, dns, proxy) = (try object.string("host"), try object.string("dns"), try object.string("proxy"))
        wasFree = try object.bool("was_free")
    }

    var json: JSONValue {
        ["host": .string(host), "dns": .string(dns), "proxy": .string(proxy), "was_free": .bool(wasFree)]
    }

    var url: String { "https://\(host)" }
}

/// What is asked of DNS and the proxy for a name.
extension SiteScope {
    /// Seconds that resolvers may keep a record of ours.
    private static let ttl: Int64 = 60

    private var integrations: IntegrationsPort { dependencies.ports.integrations }

    /// As the service has it, or as it is to have it.
    func name(of host: String) async throws(StepFailure) -> SiteName {
        let known = service.address
        do throws(PortError) {
            var dns = known["dns"]?.asString ?? spec.dns
            if dns == nil {
                for name in try await integrations.offering(.dns) {
                    if try await integrations.dns(name).covers(host) {
                        dns = name
                        break
                    }
                }
            }
            var proxy = known["proxy"]?.asString ?? spec.proxy
            if proxy == nil { proxy = try await onlyOne(.proxy, "proxy") }
            guard let dns, let proxy else { throw PortError(.notSetUp, "no integration keeps DNS records of \(host)") }
            return SiteName(host: host, dns: dns, proxy: proxy, wasFree: known["host"]?.asString == host)
        } catch { throw StepFailure(error, host) }
    }

    private func onlyOne(_ offer: IntegrationOffer, _ what: String) async throws(PortError) -> String {
        let names = try await integrations.offering(offer)
        guard let first = names.first else { throw PortError(.notSetUp, "no integration offers a \(what)") }
        guard names.count == 1 else {
            throw PortError(
                .notSetUp, "the plan does not say which \(what) it means: \(names.joined(separator: ", "))")
        }
        return first
    }

    private func keeper(_ site: SiteName) async throws(StepFailure) -> ObjectProvider<DNSRecord> {
        do throws(PortError) { return try await integrations.dns(site.dns).records } catch {
            throw StepFailure(error, site.host)
        }
    }

    private func proxy(_ name: String) async throws(StepFailure) -> ProxyProvider {
        do throws(PortError) { return try await integrations.proxy(name) } catch { throw StepFailure(error, name) }
    }

    // MARK: records

    /// Under which the world reaches the proxy.
    func publicAddresses(_ site: SiteName) async throws(StepFailure) -> [String] {
        spec.addresses.isEmpty ? try await proxy(site.proxy).addresses : spec.addresses
    }

    /// The records that lead the name to the proxy.
    func makeRecords(of site: SiteName) async throws(StepFailure) {
        let (keeper, addresses) = (try await keeper(site), try await publicAddresses(site))
        guard !addresses.isEmpty else {
            throw .refused("invalid", "nobody says under which addresses proxy \(site.proxy) is reached")
        }
        for address in addresses {
            let record = DNSRecord(
                type: address.contains(":") ? .aaaa : .a, host: site.host, value: address, ttl: Self.ttl)
            _ = try await ensure(record, at: keeper, wasFree: site.wasFree)
        }
    }

    func removeRecords(of site: SiteName) async throws(StepFailure) {
        let keeper = try await keeper(site)
        for type in [DNSRecord.Kind.aaaa, .a] {
            try await ensureGone(DNSRecord.name(type, site.host), at: keeper, wasFree: site.wasFree)
        }
    }

    // MARK: routes

    /// The proxy answers for the names over HTTPS, and asks the site.
    func makeRoute(_ site: SiteName, of names: [String], to target: String) async throws(StepFailure) {
        let proxy = try await proxy(site.proxy)
        try await obtainCertificate(names, proxy)
        let route = ProxyRoute(domains: names, target: ProxyTarget(host: target, port: 80), tls: ProxyRoute.TLS())
        do throws(StepFailure) { _ = try await ensure(route, at: proxy.routes, wasFree: site.wasFree) } catch {
            // The certificate is there, and has to go again.
            var failure = error
            failure.effect = .possible
            throw failure
        }
    }

    private func obtainCertificate(_ names: [String], _ proxy: ProxyProvider) async throws(StepFailure) {
        var failure = PortError(.notSetUp, "the proxy knows no way to a certificate")
        for challenge in proxy.challenges {
            do throws(PortError) {
                _ = try await proxy.certificates.obtain(names, challenge)
                return
            } catch {
                failure = error
                // Another proof may be believed where this one is not.
                guard error.kind == .refused else { break }
            }
        }
        // The authority counts what fails: it is not asked again and again until time is up.
        throw StepFailure(
            [.silent, .busy].contains(failure.kind) ? .retryable : .final, code: failure.kind.rawValue,
            message: failure.message, resource: "certificate of \(names.first ?? "")",
            effect: failure.kind == .silent ? .possible : .none)
    }

    func removeRoute(_ site: SiteName, of names: [String]) async throws(StepFailure) {
        let proxy = try await proxy(site.proxy)
        try await ensureGone(names.sorted().first ?? "", at: proxy.routes, wasFree: site.wasFree)
        do throws(PortError) { try await proxy.certificates.remove(names) } catch {
            throw StepFailure(error, "certificate of \(names.first ?? "")")
        }
    }

    /// Whether somebody else has a record or a route of this name already.
    func isTaken(_ site: SiteName) async throws(StepFailure) -> Bool {
        let (keeper, proxy) = (try await keeper(site), try await proxy(site.proxy))
        do throws(PortError) {
            for type in [DNSRecord.Kind.a, .aaaa, .cname] {
                if let found = try await keeper.find(DNSRecord.name(type, site.host), mark), found.mark != mark {
                    return true
                }
            }
            if let found = try await proxy.routes.find(site.host, mark), found.mark != mark { return true }
            return false
        } catch { throw StepFailure(error, site.host) }
    }
}
