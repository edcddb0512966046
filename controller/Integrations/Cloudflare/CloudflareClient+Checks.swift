import ControllerCore
import IntegrationKit
import WireProtocol

extension CloudflareClient {
    func checks() async -> [IntegrationCheck] {
        let zone = await IntegrationCheck.look("zone") { () throws(PortError) in
            "zone \(settings.zone) is active (\(try await self.zone()))"
        }
        guard zone.isPassed else { return [zone] }
        let records = await IntegrationCheck.look("records") { () throws(PortError) in
            let id = try await self.zone()
            let answer = try await call("GET", "/zones/\(id)/dns_records?per_page=5&page=1", "the zone's records")
            return "records can be read, \(answer["result_info"]?["total_count"]?.asInteger ?? 0) are there"
        }
        return [zone, records]
    }
}
