import ControllerCore
import IntegrationKit
import Model
import StandIns
import Store
import SupabaseIntegration
import Testing
import WireProtocol

/// Rows of a real PostgreSQL, behind a stand-in of PostgREST, by the integration itself.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RealTableTests {
    private static let key = "sb_secret_of-the-tests"
    private static let schema = """
        CREATE TABLE sites (
            id bigserial PRIMARY KEY, domain text NOT NULL UNIQUE, status_dns text, status_hosting text,
            hosting_doc_root text, matomo_site_id integer, error_message text);
        INSERT INTO sites (domain, status_dns, status_hosting)
            SELECT 's' || n || '.example.org', 'active', 'pending' FROM generate_series(1, 3) n;
        """

    private func with(_ body: (StandIns, Yard, JSONObject) async throws -> Void) async throws {
        try await StandIns.withTables { outside in
            try await outside.change(.supabase, ["sql": .string(Self.schema)])
            let table: JSONObject = ["url": .string(outside.url(.supabase)), "key": .string(Self.key)]
            let yard = try await Yard(kinds: [Supabase.kind], http: .fetch(), table: table)
            try await body(outside, yard, table)
            await yard.store.close()
            #expect(try await outside.violations(.supabase) == [])
        }
    }

    private func words(_ outside: StandIns) async throws -> [String] {
        let rows = try await outside.state(.supabase)["tables"]?["sites"]?.asArray ?? []
        return rows.sorted { ($0["id"]?.asInteger ?? 0) < ($1["id"]?.asInteger ?? 0) }.map {
            $0["status_hosting"]?.asString ?? ""
        }
    }

    @Test func `a standing queue takes them and tells them`() async throws {
        try await with { (outside, yard, _) async throws in
            yard.builder.change { $0.refusals["s2.example.org"] = "it's \"no\", 100% & +1" }
            try await yard.queue()
            try await yard.settle()
            #expect(try await words(outside) == ["active", "failed", "active"])
            let rows = try await outside.state(.supabase)["tables"]?["sites"]?.asArray ?? []
            let second = rows.first { $0["id"] == 2 }
            #expect(second?["error_message"] == "it's \"no\", 100% & +1" && second?["hosting_doc_root"] == .null)
            #expect(try await yard.claims().map(\.state) == [.done, .done, .done])
            #expect(try await yard.findings() == [])
        }
    }

    @Test func `a request takes them, and its key is not kept`() async throws {
        try await with { (outside, yard, table) async throws in
            let sites = try await yard.operations.process(
                QueueCredentials(tables: table, matomo: nil, allowsPrivate: true),
                QueueSettings(plan: "site", customer: "hosting", adopts: true), only: "3", by: Yard.by)
            #expect(sites.map(\.id) == [3] && sites.map(\.domain) == ["s3.example.org"])
            try await yard.work()
            try await yard.tell()
            #expect(try await words(outside) == ["pending", "pending", "active"])
            let request = try #require(try await yard.claims().first?.request)
            #expect(try await yard.store.queueRequest(request)?.settings == [:])
            // Nobody but the operator lets a request lead to this machine.
            await #expect(throws: (any Error).self) {
                try await yard.operations.process(
                    QueueCredentials(tables: table, matomo: nil),
                    QueueSettings(plan: "site", customer: "hosting"), by: Yard.by)
            }
            #expect(try await yard.claims().count == 1)
        }
    }
}
