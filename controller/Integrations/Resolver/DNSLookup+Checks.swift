import ControllerCore

extension DNSLookup {
    func checks() async -> [IntegrationCheck] {
        [
            await IntegrationCheck.look("lookup") { () throws(PortError) in
                let servers = try await look(settings.probe, .ns)
                return "\(settings.probe) has \(servers.count) name servers"
            }
        ]
    }
}
