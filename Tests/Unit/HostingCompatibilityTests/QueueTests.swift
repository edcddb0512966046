import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

/// Standing queues: rows become services, and are told so.
@Suite(.timeLimit(.minutes(2))) struct QueueTests {
    private func with(_ body: (Yard) async throws -> Void) async throws {
        let yard = try await Yard()
        try await body(yard)
        await yard.store.close()
    }

    @Test func `a row that waits becomes a service, and is told where it is`() async throws {
        try await with { yard in
            yard.hub.add(1, "Example.ORG")
            yard.hub.add(2, "later.example.org", dns: "pending")
            yard.hub.add(3, "done.example.org", hosting: "active")
            try await yard.queue()
            try await yard.settle()
            let row = yard.hub.row(1)
            #expect(row["status_hosting"] == "active" && row["error_message"] == .null)
            #expect(row["hosting_doc_root"] == "/home/user_x/htdocs/example.org")
            #expect(yard.hub.row(2)["status_hosting"] == "pending")
            let services = try await yard.services
            #expect(services.map(\.spec) == [["domain": "example.org"]] && services.map(\.customer) == ["hub"])
            #expect(try await yard.claims().map(\.state) == [.done])
            #expect(yard.hub.updates == ["update sites 1 active"])
            // Once more, nothing more.
            try await yard.settle()
            #expect(yard.hub.updates.count == 1)
            #expect(try await yard.services.count == 1)
        }
    }

    @Test func `whoever looks at the same time, each row is taken once`() async throws {
        try await with { yard in
            for number in 1...40 { yard.hub.add(.integer(Int64(number)), .string("s\(number).example.org")) }
            try await yard.queue()
            try await yard.queue(name: "again")
            let other = try await Yard(besides: yard)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for one in [yard, other] {
                    for queue in ["sites", "again"] {
                        group.addTask { _ = try await one.operations.look(into: queue) }
                        group.addTask {
                            _ = try await one.operations.process(
                                QueueCredentials(
                                    tables: ["url": "https://hub.example.org/", "key": "k"], matomo: nil),
                                QueueSettings(plan: "site", customer: "hub"), by: Yard.by)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await yard.services.count == 40)
            #expect(try await yard.store.claims(page: PageRequest(limit: 500)).items.count == 40)
            try await yard.work()
            for _ in 1...3 {
                try await yard.tell()
                try await other.tell()
            }
            #expect(yard.builder.built.values.allSatisfy { $0 == 1 } && yard.builder.built.count == 40)
            #expect(yard.hub.updates.count == 40 && Set(yard.hub.updates).count == 40)
        }
    }

    @Test func `a row that is told while it is read is not taken again`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            try await yard.queue()
            try await yard.look()
            try await yard.work()
            yard.clock.advance(.seconds(61))
            yard.hub.meanwhile.withLock {
                $0 = {
                    yard.clock.advance(.seconds(1))
                    try? await yard.tell()
                }
            }
            try await yard.look()
            #expect(yard.hub.row(1)["status_hosting"] == "active")
            #expect(try await yard.claims().map(\.state) == [.done])
        }
    }

    @Test func `who holds a queue is alone at it, and not for ever`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            try await yard.queue()
            let now = yard.clock.time
            #expect(try await yard.store.holdQueue("sites", at: now, until: now + .seconds(300)) != nil)
            #expect(try await yard.operations.look(into: "sites") == nil)
            await #expect(throws: CoreError.self) { try await yard.operations.runQueue("sites", by: Yard.by) }
            #expect(try await yard.services.isEmpty)
            // Whoever held it has died.
            yard.clock.advance(.seconds(301))
            try await yard.look()
            #expect(try await yard.services.count == 1)
        }
    }

    @Test func `a failure is told, short and without the inside of machines, and another try is one`() async throws {
        try await with { yard in
            yard.hub.add(1, "bad.example.org")
            yard.builder.change {
                $0.refusals["bad.example.org"] =
                    "clpctl said\u{1B}[31m no:\n/home/clp/secrets/x password=hunter2 "
                    + String(repeating: "long ", count: 200)
            }
            try await yard.queue()
            try await yard.settle(1)
            let row = yard.hub.row(1)
            let reason = row["error_message"]?.asString ?? ""
            #expect(row["status_hosting"] == "failed" && reason.hasPrefix("clpctl said [31m no: … password=… long"))
            #expect(reason.count <= 300 && !reason.contains("hunter2") && !reason.contains("clp/secrets"))
            #expect(try await yard.claims().map(\.state) == [.done])
            // The hub asks again.
            yard.builder.change { $0.refusals = [:] }
            yard.hub.set(1, ["status_hosting": "pending"])
            try await yard.settle()
            #expect(yard.hub.row(1)["status_hosting"] == "active" && yard.hub.row(1)["error_message"] == .null)
            #expect(try await yard.services.count == 1)
        }
    }

    @Test func `a row of which nothing can be made is told so, and the others go on`() async throws {
        try await with { yard in
            let hostile: [JSONValue] = [
                .null, 7, ["a": 1], "", "a b", "x\u{0}y.example.org", "../../etc/passwd", "-a.example.org",
                "taken.example.org",
                .string(String(repeating: "a", count: 300_000)), "a.example.org; rm -rf /", "\u{202E}gro.elpmaxe",
            ]
            for (index, domain) in hostile.enumerated() { yard.hub.add(.integer(Int64(index)), domain) }
            for key in [JSONValue.null, [1], "a\nb", .string(String(repeating: "k", count: 129)), 1.5] {
                yard.hub.add(key, "key.example.org")
            }
            yard.hub.add("zz-1", "good.example.org")
            try await yard.queue()
            try await yard.settle()
            for index in hostile.indices {
                let row = yard.hub.row(.integer(Int64(index)))
                #expect(row["status_hosting"] == "failed", "\(hostile[index].text.prefix(40))")
                #expect((1...300).contains(row["error_message"]?.asString?.count ?? 0))
            }
            #expect(yard.hub.row("zz-1")["status_hosting"] == "active")
            #expect(try await yard.services.map { $0.spec["domain"] } == ["good.example.org"])
            #expect(try await yard.findings() == ["queue.bad_rows"])
            for claim in try await yard.claims() { #expect(claim.domain.utf8.count <= 512) }
        }
    }

    @Test func `what the queue itself has wrong is told the operator, not the rows`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            try await yard.queue(["labels": ["zone": "b"]])
            _ = try await yard.operations.retirePlan(name: "site", by: Yard.by)
            try await yard.settle()
            #expect(yard.hub.row(1)["status_hosting"] == "pending")
            #expect(try await yard.findings() == ["queue.unreadable"])
            let view = try await yard.store.queue("sites")
            #expect(view?.problem?.contains("retired") == true)
        }
    }

    @Test func `a table without a column that is written is not begun with`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            yard.hub.change { $0.tables["sites"]?[0]["hosting_doc_root"] = nil }
            try await yard.queue()
            try await yard.settle()
            #expect(try await yard.services.isEmpty)
            #expect(try await yard.store.queue("sites")?.problem?.contains("hosting_doc_root") == true)
            let shorter: JSONObject = [
                "tables": "hub", "plan": "site", "customer": "hub", "sites": ["hosting_doc_root": ""],
            ]
            _ = try await yard.operations.updateQueue(name: "sites", settings: shorter, isEnabled: nil, by: Yard.by)
            try await yard.settle()
            #expect(yard.hub.row(1)["status_hosting"] == "active")
            #expect(try await yard.findings() == [])
        }
    }

    @Test func `of a long table a bounded number is taken in a turn, and in the end all`() async throws {
        try await with { yard in
            for number in 1...250 { yard.hub.add(.integer(Int64(number)), .string("s\(number).example.org")) }
            try await yard.queue()
            try await yard.look()
            #expect(try await yard.store.services(page: PageRequest(limit: 500)).items.count == 100)
            yard.clock.advance(.seconds(6))
            try await yard.look()
            yard.clock.advance(.seconds(6))
            try await yard.look()
            #expect(try await yard.store.services(page: PageRequest(limit: 500)).items.count == 250)
        }
    }

    @Test func `sites go to the servers that the table names, and nowhere else`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            yard.hub.change {
                $0.tables["servers"] = [
                    ["ip_address": "192.0.2.1", "ssh_private_key": "planted-1730"], ["ip_address": "192.0.2.9"],
                ]
            }
            try await yard.queue(["labels": ["zone": "b"]])
            try await yard.look()
            #expect(try await yard.services.isEmpty)
            #expect(try await yard.findings() == ["queue.unreadable"])
            try await yard.store.insertNode(
                NodeRecord(
                    id: "nod_1", name: "one", labels: ["address": "192.0.2.9", "zone": "b"], enrolledAt: yard.clock.time
                ))
            try await yard.store.insertNode(
                NodeRecord(
                    id: "nod_2", name: "two", labels: ["address": "192.0.2.1", "zone": "c"], enrolledAt: yard.clock.time
                ))
            yard.clock.advance(.seconds(61))
            try await yard.look()
            #expect(
                try await yard.services.first?.spec["placement"] == [
                    "labels": ["address": "192.0.2.9", "zone": "b"]
                ])
            #expect(try await yard.findings() == [])
        }
    }

    @Test func `a row that gets another domain does not take the site along`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            try await yard.queue()
            try await yard.settle()
            yard.hub.set(1, ["domain": "b.example.org", "status_hosting": "pending"])
            try await yard.settle()
            #expect(yard.hub.row(1)["status_hosting"] == "failed")
            #expect(yard.hub.row(1)["error_message"]?.asString?.contains("a.example.org") == true)
            // It is removed: then the row may become another one.
            let service = try #require(try await yard.services.first)
            _ = try await yard.operations.terminate(service.id, by: Yard.by)
            try await yard.work()
            yard.hub.set(1, ["status_hosting": "pending"])
            try await yard.settle()
            #expect(yard.hub.row(1)["status_hosting"] == "active")
            #expect(try await yard.services.map { $0.spec["domain"] } == ["a.example.org", "b.example.org"])
        }
    }

    @Test func `a queue names what is there`() async throws {
        try await with { yard in
            for (more, field) in [
                (["tables": "nobody"], "settings.tables"), (["plan": "none"], "settings.plan"),
                (["analytics": "hub"], "settings.analytics"), (["sites": ["key": "id; drop"]], "settings.sites.key"),
                (["values": ["pending": "active"]], "settings.values.pending"),
                (["interval_s": 1], "settings.interval_s"),
                (["colour": "red"], "settings.colour"), (["labels": ["a b": "c"]], "settings.labels.a b"),
            ] as [(JSONObject, String)] {
                let error = await #expect(throws: CoreError.self) { try await yard.queue(more) }
                guard case .invalid(let named, _)? = error else {
                    Issue.record("\(field): \(String(describing: error))")
                    continue
                }
                #expect(named == field)
            }
        }
    }
}
