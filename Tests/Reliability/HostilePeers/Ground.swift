import APIModels
import Glibc
import Model
import SiteSupport
import Synchronization
import TestSupport
import Testing
import Transport
import WireProtocol

/// The installation that is attacked: a controller, a live agent with engines, and what attackers need to know of them.
final class Ground: Sendable {
    @TaskLocal static var running: Ground?

    /// The ground of the test that asks.
    static var current: Ground { get throws { try #require(running) } }

    let site: Site
    let forge: Forge
    private let count = Atomic<Int>(0)

    static func start() async throws -> Ground {
        try raiseDescriptorLimit()
        let site = try await Site.start()
        do {
            try await site.apply(plan: "witness")
            return try Ground(site)
        } catch {
            await site.stop()
            throw error
        }
    }

    private init(_ site: Site) throws {
        self.site = site
        forge = try Forge(folder: site.folder)
    }

    func stop() async { await site.stop() }

    var folder: ScratchFolder { site.folder }
    var front: APIClient { site.front }
    var agentPort: Int { Self.port(site.addresses.agents) }
    var apiPort: Int { Self.port(site.addresses.api) }
    var authority: Certificate { forge.authority.certificate }
    var openssl: OpenSSLClient { OpenSSLClient(port: agentPort, folder: folder) }
    var controllerPID: Int32 { get throws { try #require(site.controller.pid) } }

    private static func port(_ address: String) -> Int {
        address.split(separator: ":").last.flatMap { Int($0) } ?? 0
    }

    /// A name that no test has had before.
    func name(_ purpose: String) -> String { "\(purpose)-\(count.add(1, ordering: .relaxed).newValue)" }

    /// The id of a node of its own for a hostile agent.
    func newNode() async throws -> String {
        let name = name("hostile")
        try await site.enrol(name, label: "role=hostile")
        return try site.node(name)
    }

    private static func raiseDescriptorLimit() throws {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        getrlimit(resource, &limit)
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(resource, &limit) == 0, limit.rlim_cur >= 8192 else {
            throw SetupFailure("these tests need 8192 descriptors and have \(limit.rlim_cur)")
        }
    }
}

/// One ground for a whole suite.
struct GroundTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let ground = try await Ground.start()
        do {
            try await Ground.$running.withValue(ground) { try await function() }
        } catch {
            await ground.stop()
            throw error
        }
        await ground.stop()
    }
}

extension Trait where Self == GroundTrait {
    static var ground: Self { Self() }
}

/// A real controller and a real agent among peers that mean harm. One ground serves all tests, one after the other.
@Suite(.serialized, .ground, .timeLimit(.minutes(30)))
struct HostilePeers {}
