import APIModels
import ControllerCore
import HTTPFetch
import Logging
import Model
import ServiceLifecycle
import Store
import Synchronization
import TestSupport
import Transport
import WireProtocol

@testable import API
@testable import HTTP

/// A house whose API listens on a port of the loopback, with TLS and a certificate of its own authority.
struct OpenHouse: Sendable {
    let house: House
    let server: APIServer
    let port: Int
    /// Of further listeners.
    let otherPorts: [Int]
    let authority: CertificateAuthority
    let client = HTTPClient()

    var url: String { "https://127.0.0.1:\(port)" }

    /// Runs `body` while the server runs; stops it gracefully afterwards.
    static func with(
        integrations: [IntegrationKind] = [.scripted], _ change: (inout APISettings) -> Void = { _ in },
        _ body: @escaping @Sendable (OpenHouse) async throws -> Void
    ) async throws {
        let house = try await House(integrations: integrations)
        let now = Timestamp.now().milliseconds
        let authority = try CertificateAuthority.create(commonName: "Test", days: 2, now: now)
        let key = try PrivateKey.generate()
        let certificate = try authority.issueServer(
            key: key, names: ["127.0.0.1", "localhost"], validity: .seconds(86400), now: now)
        let tls = try TLSContext(
            server: TLSServerConfiguration(
                identity: TLSIdentity(chain: [certificate], key: key),
                services: Listener.protocolNames.map { .init($0, clientCertificate: .none) },
                serviceWithoutALPN: Listener.protocolNames.last))
        var settings = APISettings(authorityPin: authority.certificate.publicKeyPin)
        settings.port = 0
        change(&settings)
        let (ports, told) = AsyncStream<[Int]>.makeStream()
        let all = Mutex<[Int: Int]>([:])
        let count = 1 + settings.further.count
        let server = try APIServer(
            operations: house.operations, settings: settings, tls: { tls }, logger: House.logger,
            now: { house.clock.time },
            onRunning: { listener, port in
                let known = all.withLock { all in
                    all[listener] = port
                    return all
                }
                if known.count == count { told.yield(known.sorted { $0.key < $1.key }.map(\.value)) }
            })
        let group = ServiceGroup(services: [server], logger: House.logger)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                for await ports in ports {
                    do {
                        try await body(
                            OpenHouse(
                                house: house, server: server, port: ports[0], otherPorts: Array(ports.dropFirst()),
                                authority: authority))
                    } catch {
                        await group.triggerGracefulShutdown()
                        throw error
                    }
                    break
                }
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
    }

    func request(_ method: String, _ path: String, _ body: String? = nil, key: String? = nil) -> HTTPRequest {
        var request = HTTPRequest(method, url + path)
        request.trust = .authorities(pem: Array(authority.certificate.pem.utf8))
        request.headers["Authorization"] = "Bearer \(key ?? house.admin)"
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = .bytes(Array(body.utf8))
        }
        return request
    }

    func send(_ method: String, _ path: String, _ body: String? = nil) async throws -> HTTPResponse {
        try await client.send(request(method, path, body))
    }
}
