import ControllerCore
import IntegrationKit
import WireProtocol

extension ISPConfigClient {
    func checks() async -> [IntegrationCheck] {
        let zones = await IntegrationCheck.look("zones") { () throws(PortError) in
            _ = try await call("dns_zone_get", ["primary_id": ["origin": "innkeeper.invalid."]])
            return "logged in as \(settings.username); zones can be looked up"
        }
        guard zones.isPassed else { return [zones] }
        let queue = await IntegrationCheck.look("queue") { () throws(PortError) in
            let left = try await call("monitor_jobqueue_count", ["server_id": .integer(settings.server)]).number ?? 0
            return "\(left) changes wait for the name server"
        }
        return [zones, queue]
    }
}
