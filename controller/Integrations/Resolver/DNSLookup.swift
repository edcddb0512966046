import CLibResolv
import ControllerCore
import IntegrationKit
import Model
import NIOPosix
import Synchronization

/// Looks on threads of its own: few, and few that wait for them.
final class DNSLookup: Sendable {
    typealias RecordType = ResolverPort.RecordType

    private static let threads = 4
    private static let mostWaiting = 256

    let settings: ResolverSettings
    private let name: String
    private let pool = NIOThreadPool(numberOfThreads: threads)
    private let waiting = Mutex(0)

    init(_ settings: ResolverSettings, name: String) {
        (self.settings, self.name) = (settings, name)
        pool.start()
    }

    deinit { pool.shutdownGracefully { _ in } }

    var port: ResolverPort {
        ResolverPort { name, type throws(PortError) in try await self.look(name, type) }
    }

    func look(_ host: String, _ type: RecordType) async throws(PortError) -> [String] {
        guard HostName.isValid(host) else {
            throw PortError(.refused, "\(host.quotable) is no name that can be looked up")
        }
        let isTaken = waiting.withLock { waiting in
            guard waiting < Self.mostWaiting else { return false }
            waiting += 1
            return true
        }
        guard isTaken else { throw PortError(.busy, "\(name) has as many names to look up as it takes") }
        defer { waiting.withLock { $0 -= 1 } }
        // Time in the queue counts.
        let end = ContinuousClock.now + settings.timeout
        let result: Result<[String], PortError>
        do {
            result = try await pool.runIfActive { self.values(host, type, end) }
        } catch { throw PortError(.busy, "\(name) is stopped") }
        return try result.get()
    }

    private func values(_ host: String, _ type: RecordType, _ end: ContinuousClock.Instant) -> Result<
        [String], PortError
    > {
        let servers = settings.servers.isEmpty ? Self.machineServers : settings.servers
        guard let answer = ask(servers, host, type, end) else {
            return .failure(PortError(.silent, "\(name): no name server told of \(host) within the time limit"))
        }
        if !answer.values.isEmpty || !settings.asksAuthorities || type == .ns { return .success(answer.values) }
        // "There is none" may be an old answer that somebody on the way has kept.
        return .success(authoritativeValues(answer.alias ?? host, type, servers, end))
    }

    /// The first answer that says whether there is something; each server is asked twice.
    private func ask(
        _ servers: [DNSServer], _ host: String, _ type: RecordType, _ end: ContinuousClock.Instant, recurse: Bool = true
    ) -> DNSAnswer? {
        for round in 1...2 {
            for (index, server) in servers.enumerated() {
                guard let query = DNSQuery(host, type, recurse: recurse) else { return nil }
                let left = ContinuousClock.now.duration(to: end)
                guard left > .zero else { return nil }
                // A silent server leaves time for those after it.
                let others = servers.count - index + (round == 1 ? servers.count : 0)
                let exchange = DNSExchange(
                    query: query, server: server, end: .now + max(left / max(1, others), min(left, .milliseconds(200))))
                guard let answer = exchange.answer(), answer.code == 0 || answer.code == 3 else { continue }
                return answer
            }
        }
        return nil
    }

    /// What the domain's own servers say now; nothing where they cannot be asked.
    private func authoritativeValues(
        _ host: String, _ type: RecordType, _ servers: [DNSServer], _ end: ContinuousClock.Instant
    ) -> [String] {
        var labels = host.split(separator: ".")[...]
        while labels.count >= 2 {
            let zone = labels.joined(separator: ".")
            labels = labels.dropFirst()
            guard let names = ask(servers, zone, .ns, end)?.values, !names.isEmpty else { continue }
            let owners = names.prefix(4).flatMap { name in
                [RecordType.a, .aaaa].flatMap { ask(servers, name, $0, end)?.values ?? [] }
            }.compactMap { IPAddress($0) }
            // A stranger's domain must not lead our questions into our own network.
            let allowed = owners.filter { settings.allowsPrivate || !$0.isPrivate }.prefix(6)
            let own = allowed.map { DNSServer(address: $0, port: settings.authorityPort) }
            return ask(Array(own), host, type, end, recurse: false)?.values ?? []
        }
        return []
    }

    private static var machineServers: [DNSServer] {
        var room = [CChar](repeating: 0, count: 1024)
        _ = innkeeper_dns_servers(&room, Int32(room.count))
        let text = String(decoding: room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.split(separator: "\n").compactMap { DNSServer(String($0)) }
    }
}
