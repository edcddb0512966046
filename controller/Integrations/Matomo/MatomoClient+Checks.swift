import ControllerCore
import IntegrationKit
import WireProtocol

extension MatomoClient {
    func checks() async -> [IntegrationCheck] {
        let sites = await IntegrationCheck.look("sites") { () throws(PortError) in
            let ids = try await call("SitesManager.getSitesIdWithAdminAccess", [], "tracking sites")
            return "\(ids.asArray?.count ?? 0) tracking sites can be managed"
        }
        guard sites.isPassed else { return [sites] }
        let rights = await IntegrationCheck.look("rights") { () throws(PortError) in
            // Of a site that cannot be only a super user is told that it is not there.
            _ = try await call("SitesManager.getSiteFromId", [("idSite", "2147483647")], "rights")
            return "the token is a super user's"
        }
        return [sites, rights] + (await defaults())
    }

    /// What new tracking sites get, where the settings say so.
    private func defaults() async -> [IntegrationCheck] {
        var checks: [IntegrationCheck] = []
        for (name, method, value) in [
            ("timezone", "SitesManager.getTimezonesList", settings.timezone),
            ("currency", "SitesManager.getCurrencyList", settings.currency),
        ] {
            guard let value else { continue }
            checks.append(
                await IntegrationCheck.look(name) { () throws(PortError) in
                    guard try await call(method, [], "the list for \(name)").hasKey(value) else {
                        throw PortError(.refused, "Matomo knows no \(name) \(value)")
                    }
                    return "\(value) is known"
                })
        }
        return checks
    }
}

extension JSONValue {
    /// In it, or in an object right below: time zones are listed by continent.
    fileprivate func hasKey(_ key: String) -> Bool {
        guard let object = asObject else { return false }
        return object[key] != nil || object.members.contains { $0.value[key] != nil }
    }
}
