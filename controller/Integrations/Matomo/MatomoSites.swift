import ControllerCore
import IntegrationKit
import Model
import WireProtocol

extension ObjectProvider<AnalyticsSite> {
    /// The mark is the tracking site's group. Any number of them may have one URL: those of others stand beside ours, and are taken
    /// over where the settings say so.
    static func matomo(_ client: MatomoClient) -> ObjectProvider {
        ObjectProvider(
            find: { name, mark throws(PortError) in
                guard let ours = try await client.sites(name).first(where: { client.mark(of: $0) == mark }) else {
                    return nil
                }
                return MarkedObject(AnalyticsSite(domain: name, id: ours.id), mark: mark)
            },
            put: { site, mark throws(PortError) in try await client.put(site, mark) },
            remove: { name, mark throws(PortError) in
                for site in try await client.sites(name) where client.mark(of: site) == mark {
                    try await client.takeAway(site)
                }
            })
    }
}

/// A tracking site as Matomo has it.
struct MatomoSite: Sendable {
    var id: String
    /// `https://shop.example.org`.
    var mainURL: String
    var group: String
    /// Values are texts or numbers, by what the database's driver gives.
    var fields: JSONObject

    init?(_ json: JSONValue) {
        guard let fields = json.asObject, let id = fields["idsite"]?.plainText, let url = fields["main_url"]?.asString
        else { return nil }
        (self.id, self.fields, group) = (id, fields, fields["group"]?.asString ?? "")
        mainURL = url.lowercased()
        while mainURL.hasSuffix("/") { mainURL.removeLast() }
    }

    func isOf(_ domain: String) -> Bool { mainURL == "https://\(domain)" || mainURL == "http://\(domain)" }
}

extension JSONValue {
    fileprivate var plainText: String? { asString ?? asInteger.map { "\($0)" } }
}

extension MatomoClient {
    // A group is `innkeeper: svc_1`, and `innkeeper: svc_1, was: Shops` of a tracking site that was in the group Shops when it was taken over.

    /// Whose it is; nil for one that is not ours.
    func mark(of site: MatomoSite) -> String? {
        guard let rest = afterPrefix(site) else { return nil }
        return rest.firstRange(of: Self.former).map { String(rest[..<$0.lowerBound]) } ?? rest
    }

    /// In which group it was when it was taken over; nil for one that we have made.
    private func formerGroup(_ site: MatomoSite) -> String? {
        guard let rest = afterPrefix(site), let place = rest.firstRange(of: Self.former) else { return nil }
        let former = rest[place.upperBound...].drop { $0 == " " }
        return String(former)
    }

    private func afterPrefix(_ site: MatomoSite) -> String? {
        let prefix = "\(settings.group): "
        return site.group.hasPrefix(prefix) ? String(site.group.dropFirst(prefix.count)) : nil
    }

    // Without a blank at its end: Matomo takes it away where there was no group.
    private static let former = ", was:"

    /// All whose main URL is the domain's, oldest first.
    func sites(_ domain: String) async throws(PortError) -> [MatomoSite] {
        try check(domain)
        let found = try await call(
            "SitesManager.getSitesIdFromSiteUrl", [("url", "https://\(domain)")], "tracking sites of \(domain)")
        let items = found.asArray ?? found.asObject?.members.map(\.value) ?? []
        let ids = Set(items.compactMap { ($0["idsite"] ?? $0).plainText.flatMap { Int64($0) } })
        guard ids.count <= 50 else { throw PortError(.refused, "\(domain) has more than 50 tracking sites in Matomo") }
        var sites: [MatomoSite] = []
        // It finds them by further URLs too, and with and without www.
        for id in ids.sorted() {
            if let site = try await site("\(id)"), site.isOf(domain) { sites.append(site) }
        }
        return sites
    }

    func site(_ id: String) async throws(PortError) -> MatomoSite? {
        try Self.check(id)
        let answer = try await call("SitesManager.getSiteFromId", [("idSite", id)], "tracking site \(id)")
        if answer.isNull { return nil }
        guard let site = MatomoSite(answer.asArray?.first ?? answer), site.id == id else {
            throw PortError(.silent, "tracking site \(id): the answer is none that was asked for")
        }
        return site
    }

    fileprivate func put(_ wish: AnalyticsSite, _ mark: String) async throws(PortError) {
        try check(wish.domain)
        guard Grammar.identifier.accepts(mark) else { throw PortError(.refused, "\(mark.quotable) is no mark") }
        if let id = wish.id, let known = try await site(id) {
            guard self.mark(of: known) == mark else {
                throw PortError(.conflict, "tracking site \(id) is not this service's")
            }
            if !known.isOf(wish.domain) { try await move(known, to: wish.domain) }
            return
        }
        let there = try await sites(wish.domain)
        let ours = there.filter { self.mark(of: $0) == mark }
        // What was made twice, when an answer was lost, is one again: nobody was told of the later one.
        for twin in ours.dropFirst() { try await takeAway(twin) }
        if !ours.isEmpty { return }
        if settings.adopts, let other = there.first(where: { self.mark(of: $0) == nil }) {
            return try await adopt(other, mark)
        }
        try await make(wish.domain, mark)
    }

    private func make(_ domain: String, _ mark: String) async throws(PortError) {
        var parameters: [(name: String, value: String)] = [
            ("siteName", domain), ("urls[0]", "https://\(domain)"), ("group", "\(settings.group): \(mark)"),
        ]
        if let timezone = settings.timezone { parameters.append(("timezone", timezone)) }
        if let currency = settings.currency { parameters.append(("currency", currency)) }
        do throws(PortError) {
            _ = try await call("SitesManager.addSite", parameters, "a tracking site for \(domain)", changes: true)
        } catch {
            // Nobody knows, or an error that came after it was made: who has it decides.
            guard error.kind != .busy else { throw error }
            guard try await sites(domain).contains(where: { self.mark(of: $0) == mark }) else { throw error }
        }
    }

    private func adopt(_ site: MatomoSite, _ mark: String) async throws(PortError) {
        let group = "\(settings.group): \(mark)\(Self.former) \(site.group)"
        guard group.utf8.count <= 250 else {
            throw PortError(.conflict, "tracking site \(site.id) is in a group whose name is too long to be kept")
        }
        try await change(site, [("group", group)])
        // Another one may have taken it meanwhile.
        guard let now = try await self.site(site.id), self.mark(of: now) == mark else {
            throw PortError(.conflict, "tracking site \(site.id) was taken over by somebody else")
        }
    }

    private func move(_ site: MatomoSite, to domain: String) async throws(PortError) {
        let answer = try await call(
            "SitesManager.getSiteUrlsFromId", [("idSite", site.id)], "the URLs of tracking site \(site.id)")
        let others = (answer.asArray ?? []).dropFirst().compactMap(\.asString)
        let urls = ["https://\(domain)"] + others.filter { $0 != "https://\(domain)" }
        var parameters = urls.enumerated().map { (name: "urls[\($0)]", value: $1) }
        if formerGroup(site) == nil { parameters.append(("siteName", domain)) }
        try await change(site, parameters)
    }

    /// These are written whether they are told or not: what is not told is empty afterwards.
    private static let alwaysWritten = [
        ("searchKeywordParameters", "sitesearch_keyword_parameters"),
        ("searchCategoryParameters", "sitesearch_category_parameters"), ("excludedIps", "excluded_ips"),
        ("excludedQueryParameters", "excluded_parameters"), ("excludedUserAgents", "excluded_user_agents"),
        ("excludedReferrers", "excluded_referrers"),
    ]

    private func change(_ site: MatomoSite, _ parameters: [(name: String, value: String)]) async throws(PortError) {
        let kept = Self.alwaysWritten.map { (name: $0.0, value: site.fields[$0.1]?.plainText ?? "") }
        let answer = try await call(
            "SitesManager.updateSite", [("idSite", site.id)] + parameters + kept, "tracking site \(site.id)",
            changes: true)
        guard !answer.isNull else { throw PortError(.busy, "tracking site \(site.id) went away meanwhile") }
    }

    /// Removes what we have made, and gives back what we had taken over.
    fileprivate func takeAway(_ site: MatomoSite) async throws(PortError) {
        if let former = formerGroup(site) { return try await change(site, [("group", former)]) }
        do throws(PortError) {
            _ = try await call(
                "SitesManager.deleteSite", [("idSite", site.id)], "tracking site \(site.id)", changes: true)
        } catch {
            guard error.kind == .refused else { throw error }
            let left = try await call("SitesManager.getSitesIdWithAdminAccess", [], "tracking sites")
            guard left.asArray?.count == 1 else { throw error }
            throw PortError(
                .refused, "tracking site \(site.id) is the only one in Matomo, which keeps it; make another one there")
        }
    }

    private func check(_ domain: String) throws(PortError) {
        guard Grammar.domainName.accepts(domain) else {
            throw PortError(.refused, "\(domain.quotable) is no domain of a tracking site")
        }
    }
}
