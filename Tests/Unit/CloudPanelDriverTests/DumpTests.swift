import CloudPanelDriver
import DriverKit
import Glibc
import Logging
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// Dumps: made, checked, loaded, sent and received.
@Suite struct DumpTests {
    private func server(_ settings: JSONObject = [:]) async throws -> PanelServer {
        let server = try await PanelServer(settings)
        try await server.addStatic()
        _ = try await server.perform(
            "database.add", on: "database/s1_shop",
            ["domain": "example.com", "database": "s1_shop", "user": "s1_user"],
            secrets: DatabaseTests.password)
        return server
    }

    private func dump(_ server: PanelServer, _ operation: String, _ name: String) async throws -> ActionOutcome {
        try await server.perform(
            "database.\(operation)", on: "database/s1_shop", ["database": "s1_shop", "dump": .string(name)])
    }

    @Test(arguments: ["a.sql", "a.sql.gz"])
    func `a dump is made whole, listed, loaded and removed`(name: String) async throws {
        let server = try await server()
        let made = try await dump(server, "export", name)
        #expect(made.changed && (made.observed["bytes"]?.asInteger ?? 0) > 0)
        var status = stat()
        #expect(stat(made.observed["path"]?.asString ?? "", &status) == 0 && status.st_mode & 0o777 == 0o600)
        let list = try await server.perform("dump.list", on: "dumps")
        #expect(list.observed["dumps"]?.asArray?.count == 1)
        #expect(try await dump(server, "import", name).changed)
        let again = await server.failure { try await dump(server, "export", name) }
        #expect(again?.code == .conflict)
        #expect(try await server.perform("dump.delete", on: "dump/\(name)", ["dump": .string(name)]).changed)
        #expect(try await !server.perform("dump.delete", on: "dump/\(name)", ["dump": .string(name)]).changed)
        let missing = await server.failure { try await dump(server, "import", name) }
        #expect(missing?.code == .notFound)
    }

    @Test(arguments: ["a.sql", "a.sql.gz"])
    func `a dump that the tool broke off is a failure, whatever it says`(name: String) async throws {
        let server = try await server(["mysqldump_fails": true])
        let error = await server.failure { try await dump(server, "export", name) }
        #expect(error?.code == .failed && error?.message.contains("not whole") == true)
        #expect(try server.names(in: "var/lib/innkeeper/cloudpanel/dumps").isEmpty)
    }

    @Test func `a dump that was never written is a failure`() async throws {
        let server = try await server()
        try server.replaceTool(with: "echo 'Database s1_shop has been exported.'")
        let error = await server.failure { try await dump(server, "export", "a.sql.gz") }
        #expect(error?.code == .failed && error?.message.contains("unpacked") == true)
    }

    @Test func `statements that the server refused are counted, and the change is told`() async throws {
        let server = try await server([
            "mysql_errors": ["ERROR 1064 (42000) at line 3: x", "ERROR 1146 (42S02) at line 9: y"]
        ])
        _ = try await dump(server, "export", "a.sql")
        let error = await server.failure { try await dump(server, "import", "a.sql") }
        #expect(error?.code == .failed && error?.changed == true && error?.message.hasPrefix("2 statements") == true)
    }

    @Test func `a dump that is cut or no archive is not loaded`() async throws {
        let server = try await server()
        _ = try await dump(server, "export", "a.sql")
        for (name, text) in [("cut.sql", "-- MySQL dump\nINSERT"), ("no.sql.gz", "hello")] {
            try server.folder.write(Array(text.utf8), to: "var/lib/innkeeper/cloudpanel/dumps/\(name)")
            let error = await server.failure { try await dump(server, "import", name) }
            #expect(error?.code == .failed && error?.changed == false, "\(name)")
        }
    }

    @Test(arguments: ["../a.sql", "/etc/passwd", ".a.sql", "a.txt", "a b.sql", "-.sql", "a.sql.gz.exe"])
    func `a dump has no path and its right ending`(name: String) async throws {
        let server = try await server()
        let error = await server.failure { try await dump(server, "export", name) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `a dump goes out as output and comes in as input`() async throws {
        let server = try await server()
        _ = try await dump(server, "export", "a.sql.gz")
        let sent = Mutex<[UInt8]>([])
        let out = ActionContext(
            commandID: "out", logger: Logger(label: "test"),
            output: { _, bytes async throws(CancellationError) in sent.withLock { $0 += bytes } })
        _ = try await server.driver.perform(
            ActionCall(
                action: "dump.read", resource: "cloudpanel/dump/a.sql.gz", arguments: ["dump": "a.sql.gz"]), out)
        let bytes = sent.withLock { $0 }
        #expect(try bytes == server.folder.read("var/lib/innkeeper/cloudpanel/dumps/a.sql.gz"))
        let outcome = try await write(server, bytes, "b.sql.gz")
        #expect(outcome.changed && outcome.observed["bytes"]?.asInteger == Int64(bytes.count))
        #expect(try await dump(server, "import", "b.sql.gz").changed)
        let cut = await server.failure { try await write(server, bytes.dropLast(9), "c.sql.gz") }
        #expect(cut?.code == .failed)
        #expect(try server.names(in: "var/lib/innkeeper/cloudpanel/dumps").sorted() == ["a.sql.gz", "b.sql.gz"])
    }

    private func write(_ server: PanelServer, _ bytes: some Sequence<UInt8>, _ name: String) async throws
        -> ActionOutcome
    {
        let all = Array(bytes)
        let input = AsyncStream<[UInt8]> { stream in
            stream.yield(Array(all.prefix(7)))
            stream.yield(Array(all.dropFirst(7)))
            stream.finish()
        }
        let context = ActionContext(commandID: "in", logger: Logger(label: "test"), input: input)
        let call = ActionCall(
            action: "dump.write", resource: "cloudpanel/dump/\(name)", arguments: ["dump": .string(name)])
        return try await server.driver.perform(call, context)
    }
}
