import ControllerCore
import IntegrationKit
import WireProtocol

extension ProxyManagerClient {
    func checks() async -> [IntegrationCheck] {
        let user = await IntegrationCheck.look("credentials") { () throws(PortError) in
            "logged in as \(settings.email), user \(try await self.user())"
        }
        guard user.isPassed else { return [user] }
        let routes = await IntegrationCheck.look("routes") { () throws(PortError) in
            let list = try await call("GET", "/nginx/proxy-hosts", "routes", isList: true)
            let hosts = (list.asArray ?? []).compactMap { ProxyManagerHost($0) }
            let broken = hosts.filter { $0.mark != nil && !$0.route.isServed }.map(\.route.name).sorted()
            guard broken.isEmpty else {
                throw PortError(.refused, "nginx has not taken up \(broken.prefix(5).joined(separator: ", "))")
            }
            return "\(hosts.count(where: { $0.mark != nil })) of the \(hosts.count) routes are ours"
        }
        let certificates = await IntegrationCheck.look("certificates") { () throws(PortError) in
            let list = try await call("GET", "/nginx/certificates", "certificates", isList: true)
            return "\(list.asArray?.count ?? 0) certificates are there"
        }
        return [user, routes, certificates]
    }
}
