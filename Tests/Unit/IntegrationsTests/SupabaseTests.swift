import ControllerCore
import Model
import StandIns
import Testing
import WireProtocol

@testable import SupabaseIntegration

/// Against a stand-in of PostgREST that asks a real PostgreSQL.
@Suite(.serialized) struct `Tables at Supabase` {
    private static let key = "sb_secret_of-the-tests"
    private let sites = TablePort.Table("sites")

    private static let schema = """
        CREATE TABLE sites (
            id bigserial PRIMARY KEY, domain text NOT NULL UNIQUE, status_dns text, status_hosting text,
            hosting_doc_root text, matomo_site_id integer CHECK (matomo_site_id > 0), error_message text,
            is_test boolean NOT NULL DEFAULT false);
        INSERT INTO sites (domain, status_dns, status_hosting)
            SELECT 's' || n || '.example.org', 'active', 'pending' FROM generate_series(1, 5) n;
        """

    private func with(
        _ more: JSONObject = [:], clock: QuickClock = QuickClock(), sql: String = Self.schema,
        _ body: (StandIns, TablePort) async throws -> Void
    ) async throws {
        try await StandIns.withTables { outside in
            try await outside.change(.supabase, ["sql": .string(sql)])
            let integration = try Supabase.kind.connected(Self.settings(outside, more), clock: clock)
            try await body(outside, try #require(integration.tables))
            #expect(try await outside.violations(.supabase) == [])
            #expect(try await outside.log(.supabase).allSatisfy { !$0.contains("sb_secret") })
        }
    }

    private static func settings(_ outside: StandIns, _ more: JSONObject = [:]) -> JSONObject {
        var settings: JSONObject = ["url": .string(outside.url(.supabase)), "key": .string(key)]
        for member in more.members { settings[member.key] = member.value }
        return settings
    }

    private func row(_ outside: StandIns, _ id: Int64, table: String = "sites") async throws -> JSONValue? {
        try await outside.state(.supabase)["tables"]?[table]?.asArray?.first { $0["id"] == .integer(id) }
    }

    private func calls(_ outside: StandIns, _ method: String) async throws -> Int {
        try await outside.log(.supabase).count { $0.hasPrefix(method) }
    }

    /// Pages until there is an empty one, as whoever uses it does.
    private func all(_ tables: TablePort, _ filters: JSONObject, page: Int) async throws -> [JSONValue] {
        var (ids, after): ([JSONValue], JSONValue?) = ([], nil)
        while true {
            let rows = try await tables.rows(sites, ["domain"], filters, after, page)
            guard let last = rows.last else { return ids }
            ids += rows.compactMap { $0["id"] }
            after = last["id"]
        }
    }

    @Test func `rows come by what their columns hold, in order, a page at a time`() async throws {
        try await with { (outside, tables) async throws in
            let rows = try await tables.rows(sites, ["domain", "error_message"], ["status_hosting": "pending"], nil, 2)
            #expect(
                rows == [
                    ["id": 1, "domain": "s1.example.org", "error_message": nil],
                    ["id": 2, "domain": "s2.example.org", "error_message": nil],
                ])
            try await outside.change(
                .supabase, ["sql": "UPDATE sites SET status_hosting = NULL, is_test = true WHERE id = 3"])
            #expect(try await all(tables, ["status_hosting": "pending"], page: 2) == [1, 2, 4, 5])
            #expect(try await all(tables, ["status_hosting": nil], page: 2) == [3])
            #expect(try await all(tables, ["is_test": true], page: 2) == [3])
            #expect(try await all(tables, ["id": 4, "status_dns": "active"], page: 2) == [4])
            #expect(try await all(tables, ["id": "4"], page: 2) == [4])
            #expect(try await all(tables, ["status_dns": "failed"], page: 2).isEmpty)
        }
    }

    @Test func `an answer that is cut short by the API loses no row`() async throws {
        try await with { (outside, tables) async throws in
            try await outside.change(.supabase, ["max_rows": 2])
            #expect(try await all(tables, ["status_dns": "active"], page: 1000) == [1, 2, 3, 4, 5])
        }
    }

    @Test func `whatever a value holds, it is a value`() async throws {
        let values = [
            "a&id=gt.0", "a,b)", "or=(id.gt.0)", "100% +1 #x?", "\"quoted\" 'q' \\", "eq.active", "null",
            "Ä ö 日本 \u{1F600}",
            "*", " blanks ", "\n\t",
        ]
        try await with { (outside, tables) async throws in
            for value in values {
                let fields: JSONObject = ["error_message": .string(value)]
                #expect(try await tables.update(sites, 2, fields, [:]) == 1)
                #expect(try await row(outside, 2)?["error_message"] == .string(value))
                let rows = try await tables.rows(sites, ["error_message"], fields, nil, 10)
                #expect(rows == [["id": 2, "error_message": .string(value)]], "\(value)")
            }
        }
    }

    @Test func `names and values that would be read as something else are refused without a call`() async throws {
        try await with { (outside, tables) async throws in
            for name in ["sites?select=*", "a.b", "", "a,secrets(*)", "rpc/x", "a b", "x\"y", "ä"] {
                let table = await portError { () throws(PortError) in
                    _ = try await tables.rows(TablePort.Table(name), [], [:], nil, 1)
                }
                let column = await portError { () throws(PortError) in
                    _ = try await tables.rows(sites, [name], [:], nil, 1)
                }
                let field = await portError { () throws(PortError) in
                    _ = try await tables.update(sites, 1, [name: "x"], [:])
                }
                #expect([table, column, field].map(\.?.kind) == [.refused, .refused, .refused], "\(name)")
            }
            for word in ["select", "limit", "or", "apikey", "on_conflict"] {
                let error = await portError { () throws(PortError) in
                    _ = try await tables.rows(sites, [], [word: "x"], nil, 1)
                }
                #expect(error?.kind == .refused && error?.message.contains(word) == true)
            }
            for value: JSONValue in [1.5, ["a"], [:], "a\u{0}b", .string(String(repeating: "x", count: 1001))] {
                let error = await portError { () throws(PortError) in
                    _ = try await tables.rows(sites, [], ["domain": value], nil, 1)
                }
                #expect(error?.kind == .refused, "\(value)")
            }
            for fields: JSONObject in [[:], ["id": 9]] {
                let error = await portError { () throws(PortError) in _ = try await tables.update(sites, 1, fields, [:])
                }
                #expect(error?.kind == .refused)
            }
            #expect(try await outside.log(.supabase).isEmpty)
        }
    }

    @Test func `a row is changed where it is as it was, and the number tells`() async throws {
        try await with { (outside, tables) async throws in
            let fields: JSONObject = ["status_hosting": "active", "matomo_site_id": 7, "error_message": nil]
            let pending: JSONObject = ["status_hosting": "pending"]
            #expect(try await tables.update(sites, 2, fields, pending) == 1)
            #expect(try await tables.update(sites, 2, ["status_hosting": "failed"], pending) == 0)
            #expect(try await tables.update(sites, 99, fields, [:]) == 0)
            #expect(try await row(outside, 2)?["status_hosting"] == "active")
            #expect(try await row(outside, 2)?["matomo_site_id"] == 7)
            #expect(try await row(outside, 1)?["status_hosting"] == "pending")
        }
    }

    @Test(arguments: LostAnswer.allCases)
    func `an answer that is lost after the commit changes nothing about what is told`(_ fault: LostAnswer) async throws
    {
        try await with { (outside, tables) async throws in
            try await outside.fault(.supabase, ["on": "PATCH", "kind": .string(fault.rawValue)])
            let fields: JSONObject = ["status_hosting": "failed", "error_message": "no room"]
            let changed = try await tables.update(sites, 3, fields, [:])
            #expect(changed == 1)
            #expect(try await row(outside, 3)?["error_message"] == "no room")
            #expect(try await calls(outside, "PATCH") == 1)
        }
    }

    @Test func `where nobody knows whether it was committed, that is told and not repeated`() async throws {
        try await with { (outside, tables) async throws in
            try await outside.fault(.supabase, ["on": "PATCH", "kind": "html", "times": 9])
            let error = await portError { () throws(PortError) in
                _ = try await tables.update(sites, 3, ["status_hosting": "active"], [:])
            }
            #expect(error?.kind == .silent)
            #expect(try await calls(outside, "PATCH") == 1)
            // Nor does whoever may not look.
            try await outside.fault(
                .supabase, ["on": "PATCH", "kind": "lost"],
                ["on": "GET", "kind": "status", "status": 403, "body": ["code": "42501"]])
            let blind = await portError { () throws(PortError) in
                _ = try await tables.update(sites, 2, ["status_hosting": "active"], [:])
            }
            #expect(blind?.kind == .silent)
            // The row went meanwhile: there is nothing to be changed.
            try await outside.change(.supabase, ["sql": "DELETE FROM sites WHERE id = 3"])
            #expect(try await tables.update(sites, 3, ["status_hosting": "active"], [:]) == 0)
        }
    }

    @Test func `reading goes on through trouble, and whoever is told to wait waits`() async throws {
        let clock = QuickClock()
        try await with(clock: clock) { (outside, tables) async throws in
            for fault: JSONValue in [
                ["on": "GET", "kind": "html"], ["on": "GET", "kind": "cut"], ["on": "GET", "kind": "unreachable"],
                ["on": "GET", "kind": "html", "status": 200], ["on": "GET", "kind": "throttle", "seconds": 7],
                [
                    "on": "GET", "kind": "status", "status": 503,
                    "body": ["code": "PGRST002", "message": "schema cache"],
                ],
                ["on": "GET", "kind": "status", "status": 504, "body": ["code": "PGRST003", "message": "pool"]],
                ["on": "GET", "kind": "status", "status": 500, "body": ["code": "40P01", "message": "deadlock"]],
            ] {
                try await outside.fault(.supabase, fault)
                #expect(try await tables.rows(sites, [], ["id": 1], nil, 1) == [["id": 1]], "\(fault)")
            }
            #expect(clock.pauses.reduce(.zero, +) >= .seconds(7))
            // What surely did not happen is tried again also where it changes something.
            for code in ["PGRST000", "53300", "40001"] {
                let status: JSONValue = code == "40001" ? 500 : 503
                try await outside.fault(
                    .supabase, ["on": "PATCH", "kind": "status", "status": status, "body": ["code": .string(code)]])
                #expect(try await tables.update(sites, 1, ["error_message": .string(code)], [:]) == 1)
                #expect(try await row(outside, 1)?["error_message"] == .string(code))
            }
        }
    }

    @Test func `a statement that takes too long was not done, and is tried again`() async throws {
        let slow = """
            CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(5); RETURN NEW; END';
            CREATE TRIGGER wait BEFORE UPDATE ON sites FOR EACH ROW EXECUTE FUNCTION wait();
            """
        let clock = QuickClock()
        try await with(clock: clock) { (outside, tables) async throws in
            try await outside.change(.supabase, ["sql": .string(slow), "statement_timeout": 200])
            let error = await portError { () throws(PortError) in
                _ = try await tables.update(sites, 1, ["status_hosting": "active"], [:])
            }
            #expect(error?.kind == .busy && error?.message.contains("57014") == true, "\(error?.message ?? "")")
            #expect(clock.pauses.count == 3)
            #expect(try await row(outside, 1)?["status_hosting"] == "pending")
        }
    }

    @Test func `what the database says no to is told by its code`() async throws {
        try await with { (outside, tables) async throws in
            func error(_ fields: JSONObject, _ filters: JSONObject = [:], id: JSONValue = 1) async -> PortError? {
                await portError { () throws(PortError) in _ = try await tables.update(sites, id, fields, filters) }
            }
            for (fields, code) in [
                (["domain": nil], "23502"), (["matomo_site_id": 0], "23514"), (["matomo_site_id": "x"], "22P02"),
                (["nothing": 1], "PGRST204"),
            ] as [(JSONObject, String)] {
                let said = await error(fields)
                #expect(said?.kind == .refused && said?.message.contains(code) == true, "\(said?.message ?? "")")
            }
            #expect(await error(["domain": "s2.example.org"])?.kind == .conflict)
            #expect(await error(["error_message": "x"], ["nothing": 1])?.message.contains("42703") == true)
            #expect(await error(["error_message": "x"], id: "one")?.message.contains("22P02") == true)
            let raise = """
                CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''planted-1729''; END';
                CREATE TRIGGER no BEFORE UPDATE ON sites FOR EACH ROW EXECUTE FUNCTION no();
                """
            try await outside.change(.supabase, ["sql": .string(raise)])
            let raised = await error(["error_message": "x"])
            #expect(raised?.message.contains("P0001") == true && raised?.message.contains("1729") == false)
        }
    }

    @Test func `a table that is not there, or not known yet, is told apart from one that is empty`() async throws {
        try await with { (outside, tables) async throws in
            let servers = TablePort.Table("servers")
            #expect(try await tables.has(sites, ["domain"]))
            #expect(try await !tables.has(servers, ["ip_address"]))
            let column = await portError { () throws(PortError) in _ = try await tables.has(sites, ["nothing"]) }
            #expect(column?.kind == .refused && column?.message.contains("nothing") == true)
            let missing = await portError { () throws(PortError) in _ = try await tables.rows(servers, [], [:], nil, 1)
            }
            #expect(missing?.kind == .refused && missing?.message.contains("no table servers") == true)
            let made: JSONValue = ["sql": "CREATE TABLE servers (id int PRIMARY KEY, ip_address inet)", "stale": true]
            try await outside.change(.supabase, made)
            #expect(try await !tables.has(servers, ["ip_address"]))
            try await outside.change(.supabase, [:])
            #expect(try await tables.has(servers, ["ip_address"]))
            #expect(try await tables.rows(servers, ["ip_address"], [:], nil, 10).isEmpty)
        }
    }

    @Test func `tables of another schema, keys that are texts, and keys that are not unique`() async throws {
        let sql = """
            CREATE TABLE hosting.sites (key text COLLATE "C" PRIMARY KEY, status text);
            INSERT INTO hosting.sites VALUES ('a,b', 'x'), ('c&d', 'x'), ('é', 'x');
            CREATE TABLE hosting.twins (key int, status text); INSERT INTO hosting.twins VALUES (1, 'x'), (1, 'x');
            """
        try await with(["schema": "hosting"], sql: sql) { (outside, tables) async throws in
            let sites = TablePort.Table("sites", key: "key")
            let first = try await tables.rows(sites, [], ["status": "x"], nil, 1)
            #expect(first == [["key": "a,b"]])
            #expect(try await tables.rows(sites, [], [:], "a,b", 10) == [["key": "c&d"], ["key": "é"]])
            #expect(try await tables.update(sites, "c&d", ["status": "y"], ["status": "x"]) == 1)
            let twins = TablePort.Table("twins", key: "key")
            let many = await portError { () throws(PortError) in
                _ = try await tables.update(twins, 1, ["status": "y"], [:])
            }
            #expect(many?.kind == .refused && many?.message.contains("none was changed") == true)
            #expect(try await tables.rows(twins, ["status"], [:], nil, 5).map { $0["status"] } == ["x", "x"])
            // An API that does not know the bound has changed them by then.
            try await outside.change(.supabase, ["knows_max_affected": false])
            let old = await portError { () throws(PortError) in
                _ = try await tables.update(twins, 1, ["status": "y"], [:])
            }
            #expect(old?.kind == .refused && old?.message.contains("2 rows") == true)
        }
        try await with(["schema": "secret"]) { (outside, tables) async throws in
            let closed = await portError { () throws(PortError) in _ = try await tables.has(sites, []) }
            #expect(closed?.kind == .refused && closed?.message.contains("schema secret") == true)
        }
    }

    @Test func `rows that are hidden from the key are as if they were not there`() async throws {
        try await with { (outside, tables) async throws in
            try await outside.change(.supabase, ["sql": "ALTER TABLE sites ENABLE ROW LEVEL SECURITY"])
            #expect(try await tables.rows(sites, [], [:], nil, 10).count == 5)
            let token = try #require(try await outside.state(.supabase)["keys"]?["authenticated"])
            let clerk = try #require(
                try Supabase.kind.connected(Self.settings(outside, ["key": token])).tables)
            #expect(try await clerk.rows(sites, [], [:], nil, 10).isEmpty)
            #expect(try await clerk.update(sites, 1, ["error_message": "x"], [:]) == 0)
            try await outside.change(
                .supabase, ["sql": "CREATE POLICY mine ON sites TO authenticated USING (id = 4)"])
            #expect(try await clerk.rows(sites, [], [:], nil, 10) == [["id": 4]])
            #expect(try await clerk.update(sites, 4, ["error_message": "x"], [:]) == 1)
            try await outside.change(.supabase, ["sql": "REVOKE UPDATE ON sites FROM authenticated"])
            let error = await portError { () throws(PortError) in
                _ = try await clerk.update(sites, 4, ["error_message": "y"], [:])
            }
            #expect(error?.kind == .refused && error?.message.contains("42501") == true)
        }
    }

    @Test func `an answer with rows that were not asked for is none`() async throws {
        try await with { (outside, tables) async throws in
            try await outside.change(
                .supabase, ["loses_query": true, "sql": "UPDATE sites SET status_hosting = 'active' WHERE id = 5"])
            for (filters, after) in [
                (["status_hosting": "pending"], nil), ([:], 1),
            ] as [(JSONObject, JSONValue?)] {
                let error = await portError { () throws(PortError) in
                    _ = try await tables.rows(sites, ["domain"], filters, after, 1000)
                }
                #expect(error?.kind == .refused && error?.message.contains("not asked for") == true)
            }
        }
    }

    @Test func `keys that do not do say so and are not told`() async throws {
        try await with { (outside, tables) async throws in
            _ = tables
            let keys = try #require(try await outside.state(.supabase)["keys"]?.asObject)
            func checks(_ key: JSONValue?) async throws -> [IntegrationCheck] {
                try await Supabase.kind.connected(Self.settings(outside, ["key": key ?? nil])).test()
            }
            let secret = try await checks(.string(Self.key))
            #expect(secret.map(\.name) == ["key", "schema"] && secret.map(\.isPassed) == [true, true], "\(secret)")
            #expect(secret.last?.message.contains("sites") == true)
            let service = try await checks(keys["service_role"])
            #expect(service.map(\.isPassed) == [true, true] && service.first?.message.contains("service_role") == true)
            #expect(try await checks(keys["expired"]).map(\.isPassed) == [false])
            let forged = try await checks(keys["forged"])
            #expect(forged.map(\.isPassed) == [true, false] && forged.last?.message.contains("PGRST301") == true)
            for mute in [false, true] {
                try await outside.change(.supabase, ["is_mute": .bool(mute)])
                let wrong = try await checks("sb_secret_planted-1729")
                #expect(wrong.map(\.isPassed) == [true, false])
                #expect(wrong.last?.message.contains("look whether it is a secret one") == true, "\(wrong)")
                #expect(!wrong.contains { $0.message.contains("1729") })
            }
        }
    }

    @Test func `settings that do not do name their field`() throws {
        func problem(_ more: JSONObject) -> String? {
            var settings: JSONObject = ["url": "https://abc.supabase.co", "key": "sb_secret_planted-1729"]
            for member in more.members { settings[member.key] = member.value }
            do { _ = try Supabase.kind.read(settings, "settings") } catch { return "\(error)" }
            return nil
        }
        #expect(problem([:]) == nil && problem(["path": ""]) == nil)
        // {"role":"anon"}
        for (field, value) in [
            ("url", "http://abc.supabase.co"), ("url", "https://abc.supabase.co?x"), ("path", "/rest/../v1"),
            ("path", "rest"), ("schema", "a.b"), ("key", "sb_publishable_1729"), ("key", "a\nb"),
            ("key", "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.x1729"),
        ] {
            let said = problem([field: .string(value)])
            #expect(said?.contains("settings.\(field)") == true && said?.contains("1729") == false, "\(said ?? "")")
        }
        let whole: JSONObject = ["url": "https://abc.supabase.co/rest/v1/", "key": "sb_secret_x"]
        #expect(try Supabase.kind.read(whole, "settings")["url"] == "https://abc.supabase.co")
    }
}
