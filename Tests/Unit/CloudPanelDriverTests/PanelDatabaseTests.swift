@testable import CloudPanelDriver
import DriverKit
import Glibc
import SQLite
import TestSupport
import Testing
import WireProtocol

/// The panel's database, read and never written.
@Suite struct PanelDatabaseTests {
    private static let path = "home/clp/htdocs/app/data/db.sq3"

    @Test func `looking changes neither the file nor its folder`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let before = try server.folder.read(Self.path)
        var old = stat()
        stat(server.folder.file(Self.path), &old)
        _ = try await server.driver.inventory()
        _ = try await server.perform("user.list", on: "users")
        _ = await server.driver.facts()
        _ = await server.driver.lookAround()
        var new = stat()
        stat(server.folder.file(Self.path), &new)
        #expect(try server.folder.read(Self.path) == before)
        #expect(old.st_mtim.tv_sec == new.st_mtim.tv_sec && old.st_mtim.tv_nsec == new.st_mtim.tv_nsec)
        #expect(try server.names(in: "home/clp/htdocs/app/data") == ["db.sq3"])
    }

    @Test func `a panel that writes makes us wait, and then busy`() async throws {
        let server = try await PanelServer()
        let panel = try SQLiteDatabase(
            path: server.folder.file(Self.path), options: SQLiteOptions(access: .readWrite))
        try panel.execute("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE")
        let error = await #expect(throws: DriverError.self) { try await server.driver.inventory() }
        #expect(error?.code == .busy && error?.retryable == true)
        try panel.execute("COMMIT")
        #expect(try await server.driver.inventory().isEmpty)
    }

    @Test func `a panel without a table or with fewer columns is read as far as it goes`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        try server.sql("DROP TABLE php_settings; ALTER TABLE site DROP COLUMN application; DROP TABLE config")
        #expect(try await server.site("show", "example.com").observed["type"] == "static")
        #expect(await PanelDatabase(path: server.folder.file(Self.path)).version() == "unknown")
        try server.sql("ALTER TABLE site RENAME TO sites")
        let error = await server.failure { try await server.site("show", "example.com") }
        #expect(error?.code == .unsupported)
    }

    @Test func `a database that is damaged, another file, or gone is an error and no empty list`() async throws {
        let server = try await PanelServer()
        try server.folder.write(Array("not a database at all, but long enough".utf8), to: Self.path)
        let damaged = await #expect(throws: DriverError.self) { try await server.driver.inventory() }
        #expect(damaged?.code == .failed)
        unlink(server.folder.file(Self.path))
        let gone = await #expect(throws: DriverError.self) { try await server.driver.inventory() }
        #expect(gone?.code == .unavailable && gone?.retryable == true)
        #expect(try server.names(in: "home/clp/htdocs/app/data").isEmpty)
    }

    @Test func `the driver is there where the panel is, and knows its version`() async throws {
        let server = try await PanelServer()
        let found = await CloudPanelDriver.detect(root: server.root)
        #expect(found?.version == "2.5.3")
        #expect(await found?.facts()["panel_version"] == "2.5.3")
        #expect(await CloudPanelDriver.detect(root: "\(server.root)/usr") == nil)
    }

    @Test func `what was seen at the last look is sampled`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await server.site("suspend", "example.com")
        var batch = SampleBatch()
        batch.restart()
        await server.driver.sample(into: &batch)
        batch.finish()
        #expect(batch.names.isEmpty)
        _ = await server.driver.lookAround()
        batch.restart()
        await server.driver.sample(into: &batch)
        batch.finish()
        #expect(batch.names == ["cloudpanel.sites", "cloudpanel.sites.suspended", "cloudpanel.databases"])
        #expect(batch.values == [1, 1, 0])
    }

    @Test func `the driver's page names every operation`() throws {
        let driver = CloudPanelDriver(places: PanelPlaces(root: "/nowhere"))
        #expect(try undocumented(driver.actions, page: "cloudpanel") == [])
        #expect(try tellsArguments(driver.actions, page: "cloudpanel"))
    }

    @Test func `the driver's page names what it needs, and an emulated panel has all of it`() async throws {
        #expect(try undocumented(await CloudPanelDriver().needs(), page: "cloudpanel") == [])
        let server = try await PanelServer()
        #expect(await server.driver.needs().filter { $0.problem != nil } == [])
        unlink("\(server.root)/usr/sbin/nginx")
        let missed = await server.driver.needs().filter { $0.problem != nil }
        #expect(missed.map(\.what) == ["\(server.root)/usr/sbin/nginx"])
        #expect(missed.first?.purpose == "suspending a site")
    }
}
