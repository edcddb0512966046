import ControllerCore
import Model
import ProductKit
import Store
import WireProtocol

extension WordPress {
    /// DNS, proxy, certificate, container and page of a site as they are right now, side by side.
    @Sendable static func examine(_ look: ServiceLook) async -> [ServiceRemark] {
        guard let place = SitePlace(look.held, look.reservation) else {
            return [ServiceRemark("place", .unclear, "the site has no place, no number and no name")]
        }
        let domains = try? await look.dependencies.store.domains(service: look.service.id)
        let site = SiteExamination(look: look, place: place, domains: domains ?? [])
        let looks: [(String, @Sendable () async -> [ServiceRemark])] = [
            ("dns", { await site.names() }), ("proxy", { await site.route() }),
            ("certificate", { await site.certificate() }), ("container", { await site.container() }),
            ("software", { await site.software() }), ("page", { await site.pages() }),
        ]
        return await withTaskGroup(of: (Int, [ServiceRemark]).self) { group in
            for (index, (subject, body)) in looks.enumerated() {
                group.addTask { (index, await look.within(SiteExamination.patience, subject, body)) }
            }
            var all: [Int: [ServiceRemark]] = [:]
            for await (index, remarks) in group { all[index] = remarks }
            return all.sorted { $0.key < $1.key }.flatMap(\.value)
        }
    }
}

/// One look at a site from outside of any operation.
private struct SiteExamination: Sendable {
    let look: ServiceLook
    let place: SitePlace
    let domains: [DomainRecord]

    /// For each side.
    static let patience = Duration.seconds(20)

    private var ports: Ports { look.dependencies.ports }
    /// The site's own name, and those of its domains that it answers for.
    private var hosts: [String] { [place.host] + domains.filter { $0.state >= .certified }.map(\.name) }

    // MARK: names

    func names() async -> [ServiceRemark] {
        let wanted = Set(await addresses())
        var remarks: [ServiceRemark] = []
        for host in [place.host] + domains.flatMap(\.names) {
            do throws(PortError) {
                let found = Set(try await ports.resolver.look(host, .a) + ports.resolver.look(host, .aaaa))
                let shown = found.sorted().prefix(8).joined(separator: ", ").prefix(400)
                if found.isEmpty {
                    remarks.append(ServiceRemark("dns", .wrong, "\(host) leads nowhere"))
                } else if wanted.isEmpty {
                    remarks.append(ServiceRemark("dns", .unclear, "\(host) leads to \(shown)"))
                } else if found.isSubset(of: wanted) {
                    remarks.append(ServiceRemark("dns", .good, "\(host) leads to \(shown)"))
                } else {
                    let goal = wanted.sorted().joined(separator: ", ")
                    remarks.append(
                        ServiceRemark("dns", .wrong, "\(host) leads to \(shown), and should lead to \(goal)"))
                }
            } catch {
                remarks.append(ServiceRemark("dns", .unclear, "nobody could say where \(host) leads to"))
            }
        }
        return remarks
    }

    private func addresses() async -> [String] {
        let own = look.service.spec["addresses"]?.asArray?.compactMap(\.asString) ?? []
        guard own.isEmpty else { return own }
        do throws(PortError) { return try await proxy()?.addresses ?? [] } catch { return [] }
    }

    private func proxy() async throws(PortError) -> ProxyProvider? {
        guard let name = look.service.address["proxy"]?.asString else { return nil }
        return try await ports.integrations.proxy(name)
    }

    // MARK: the proxy

    func route() async -> [ServiceRemark] {
        let target = look.service.address["target"]?.asString
        do throws(PortError) {
            guard let routes = try await proxy()?.routes,
                let found = try await routes.find(place.host, look.service.id)
            else { return [ServiceRemark("proxy", .wrong, "the proxy knows nothing of \(place.host)")] }
            if routes.bearsMarks, found.mark != look.service.id {
                return [ServiceRemark("proxy", .wrong, "the proxy leads \(place.host) to somebody else")]
            }
            if let target, found.thing.target.host != target {
                return [ServiceRemark("proxy", .wrong, "the proxy leads \(place.host) to another address")]
            }
            guard found.thing.isServed else {
                return [ServiceRemark("proxy", .wrong, "the proxy has not taken up the route of \(place.host)")]
            }
            return [ServiceRemark("proxy", .good, "the proxy leads \(place.host) to the site")]
        } catch { return [ServiceRemark("proxy", .unclear, "the proxy gives no answer")] }
    }

    func certificate() async -> [ServiceRemark] {
        do throws(PortError) {
            guard let found = try await proxy()?.certificates.find([place.host]) else {
                return [ServiceRemark("certificate", .wrong, "there is no certificate of \(place.host)")]
            }
            guard let end = found.expires else {
                return [ServiceRemark("certificate", .good, "there is a certificate of \(place.host)")]
            }
            let hasEnded = end <= look.dependencies.clock.now()
            let words = "the certificate of \(place.host) \(hasEnded ? "has ended at" : "is good until") \(end.iso8601)"
            return [ServiceRemark("certificate", hasEnded ? .wrong : .good, words)]
        } catch { return [ServiceRemark("certificate", .unclear, "the proxy gives no answer")] }
    }

    // MARK: the container

    func container() async -> [ServiceRemark] {
        let name = "the container"
        switch await look.seek(place) {
        case .found(let state):
            guard state["owner"]?.asString == look.service.id else {
                return [ServiceRemark("container", .wrong, "what has the number of \(name) is somebody else's")]
            }
            let (runs, should) = (state["status"] == "running", look.service.state != .suspended)
            let words = "\(name) \(runs ? "runs" : "is stopped")"
            return [ServiceRemark("container", runs == should ? .good : .wrong, words)]
        case .gone: return [ServiceRemark("container", .wrong, "\(name) is on no node that could have it")]
        case .unclear, .silent: return [ServiceRemark("container", .unclear, "nobody could say how \(name) is")]
        }
    }

    /// What the recipe on the node tells of the site in the container.
    func software() async -> [ServiceRemark] {
        guard look.service.state == .running, let node = look.service.node else { return [] }
        var mark: JSONObject = ["service": .string(look.service.id)]
        mark["nonce"] = look.service.address["nonce"]
        let seen = await look.ask(
            node, "proxmox", "recipe.look", place.resource,
            ["recipe": "wordpress", "verb": "report", "vmid": .integer(place.vmid), "mark": .object(mark)])
        guard let seen, seen.status == .succeeded, let told = seen.observed["returned"]?.asObject else {
            return [ServiceRemark("software", .unclear, "nobody could say how WordPress is inside the container")]
        }
        var remarks: [ServiceRemark] = []
        for (key, name) in [("nginx", "nginx"), ("php_fpm", "PHP"), ("mariadb", "the database")] {
            guard let state = told[key]?.asString else { continue }
            let runs = state == "running"
            remarks.append(
                ServiceRemark("software", runs ? .good : .wrong, "\(name) \(runs ? "runs" : "does not run")"))
        }
        if let version = told["wordpress_version"]?.asString, Self.isPlain(version) {
            remarks.append(ServiceRemark("software", .good, "WordPress is \(version)"))
        }
        if let status = told["front_page"]?.asString, Self.isPlain(status) {
            let isGood = status == "200"
            remarks.append(
                ServiceRemark(
                    "software", isGood ? .good : .wrong, "its front page answers with \(status) in the container"))
        }
        return remarks
    }

    /// The container is its customer's: what it says is repeated only where it cannot be anything else.
    private static func isPlain(_ text: String) -> Bool {
        (1...20).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                ProxmoxStorage.isLetter($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
            }
    }

    // MARK: the page

    func pages() async -> [ServiceRemark] {
        var remarks: [ServiceRemark] = []
        for host in hosts { remarks.append(await page(of: host)) }
        return remarks
    }

    /// Asked of the proxy itself, wherever a customer's name leads a moment later.
    private func page(of host: String) async -> ServiceRemark {
        let all = await addresses()
        guard let address = all.first(where: { !$0.contains(":") }) ?? all.first else {
            return ServiceRemark("page", .unclear, "nobody says under which addresses the proxy is reached")
        }
        let order = OutboundRequest("GET", "https://\(host)/?rest_route=/", timeout: .seconds(10), peer: address)
        do throws(PortError) {
            let reply = try await ports.web.send(order)
            let isSuspended = look.service.state == .suspended
            guard reply.status == 200 else {
                return ServiceRemark(
                    "page", isSuspended ? .good : .wrong, "https://\(host) answers with \(reply.status)")
            }
            let said = (try? JSONParser.parse(reply.body, limits: JSONLimits(bytes: 4 << 20)))?["home"]?.asString
            guard said != nil else {
                return ServiceRemark("page", .wrong, "what answers at https://\(host) is no WordPress")
            }
            let homes = hosts.map { "https://\($0)" }
            let isOwn = homes.contains { said == $0 || said == "\($0)/" }
            return ServiceRemark(
                "page", isOwn ? .good : .wrong,
                isOwn ? "https://\(host) shows the site" : "what answers at https://\(host) is another site")
        } catch {
            return ServiceRemark("page", .wrong, "https://\(host) gives no answer")
        }
    }
}

extension ServiceLook {
    /// What a look has seen, if it is back in time.
    fileprivate func within(
        _ patience: Duration, _ subject: String, _ body: @escaping @Sendable () async -> [ServiceRemark]
    ) async -> [ServiceRemark] {
        await withTaskGroup(of: [ServiceRemark].self) { group in
            group.addTask { await body() }
            group.addTask { [clock = dependencies.clock] in
                await clock.timer(patience)
                return [ServiceRemark(subject, .unclear, "there was no answer within \(patience)")]
            }
            defer { group.cancelAll() }
            return await group.next() ?? []
        }
    }
}
