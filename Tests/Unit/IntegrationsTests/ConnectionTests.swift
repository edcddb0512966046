import AgentCommands
import ControllerCore
import HTTPFetch
import IntegrationKit
import Logging
import Model
import StandIns
import Store
import TestSupport
import Testing
import WireProtocol

@testable import SupabaseIntegration

/// Credentials that come with a request, and are not the operator's.
@Suite struct `Integrations that are not kept` {
    private let folder: ScratchFolder
    private let dependencies: Dependencies

    init() throws {
        folder = try ScratchFolder("connections")
        var ports = Ports()
        ports.http = .fetch()
        let agents = AgentsPort(
            perform: { _, _ throws(AgentError) in throw AgentError(retryable: true, code: "unreachable", message: "") },
            connected: { [] })
        dependencies = Dependencies(
            store: try Store(path: folder.file("store.db")), agents: agents, ports: ports,
            catalogue: Catalogue(products: [], types: []), integrations: [Supabase.kind],
            logger: Logger(label: "test"))
    }

    @Test func `they are checked as an operator's, and nothing of them is kept`() async throws {
        let settings: JSONObject = ["url": "https://abc.supabase.co", "key": "sb_secret_planted-1729"]
        let made = try dependencies.integrations.connection("supabase", settings, name: "the request")
        #expect(made.tables != nil && made.analytics == nil)
        #expect(try await dependencies.ports.integrations.offering(.tables).isEmpty)
        for (settings, field) in [
            (["url": "https://abc.supabase.co"], "body.key"),
            (["url": "http://planted-1729", "key": "k"], "body.url"),
            (["url": "https://abc.supabase.co", "key": ["planted-1729"]], "body.key"),
            (["url": "https://abc.supabase.co", "key": "k", "more": 1], "body.more"),
        ] as [(JSONObject, String)] {
            let error = #expect(throws: CoreError.self) {
                try dependencies.integrations.connection("supabase", settings, name: "the request", path: "body")
            }
            let said = error.map { "\($0)" } ?? ""
            #expect(said.contains(field) && !said.contains("1729"), "\(said)")
        }
        #expect(throws: CoreError.self) {
            try dependencies.integrations.connection("none", settings, name: "the request")
        }
    }

    @Test func `they go to the public Internet alone`() async throws {
        try await StandIns.withTables { outside in
            try await outside.change(.supabase, ["sql": "CREATE TABLE sites (id int PRIMARY KEY)"])
            let settings: JSONObject = [
                "url": .string(outside.url(.supabase)), "key": "sb_secret_of-the-tests",
            ]
            let sites = TablePort.Table("sites")
            let inside = try dependencies.integrations.connection("supabase", settings, name: "the request")
            let error = await portError { () throws(PortError) in _ = try await inside.tables?.has(sites, []) }
            #expect(error?.kind == .refused)
            #expect(try await outside.log(.supabase).isEmpty)
            let allowed = try dependencies.integrations.connection(
                "supabase", settings, name: "the request", reach: .anywhere)
            #expect(try await allowed.tables?.has(sites, []) == true)
        }
    }
}
