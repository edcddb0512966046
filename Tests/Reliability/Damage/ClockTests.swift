import Processes
import WireProtocol
import APIModels
import Glibc
import Model
import SQL
import SQLite
import SiteSupport
import TestSupport
import Testing

/// The wall clock of the controller, of the agent and of both is set an hour forth and back while they run.
@Suite(.timeLimit(.minutes(10))) struct ClockTests {
    @Test func `clocks that jump an hour cost no session, no sample and no order of things`() async throws {
        let house = try await ClockHouse()
        let clocks = [house.controllerClock, house.agentClock]
        try await house.open()
        for (who, seconds) in [(0, 3600), (0, -3600), (0, 0), (1, 3600), (1, -3600), (1, 0)] as [(Int, Int64)] {
            try clocks[who].set(seconds)
            try await house.expectLife()
        }
        // A new session, by certificates that are checked against a clock that is wrong.
        for seconds in [-3600, 3600] as [Int64] {
            try house.agentClock.set(seconds)
            try await house.agent.restart()
            try await house.expectLife()
        }
        for seconds in [3600, 0] as [Int64] {
            try house.controllerClock.set(seconds)
            try await house.controller.restart()
            try await house.expectLife()
        }
        let told = house.told
        await house.stop()
        #expect(!told.contains("node unreachable"))
        #expect(!told.contains("level=critical"))
        let (rows, position) = try house.stored()
        #expect(rows == position, "every number has its sample")
        #expect(try house.gaps() == 0)
    }
}

/// A controller and an agent, each with a clock of its own.
private final class ClockHouse: Sendable {
    let installation: Installation
    let controllerClock: SetClock
    let agentClock: SetClock
    let controller: Daemon
    let agent: Daemon
    private var folder: ScratchFolder { installation.folder }

    init() async throws {
        installation = try await Installation("clocks", configuration: ["heartbeat_ms": 1000])
        let folder = installation.folder
        controllerClock = try await SetClock("controller", in: folder)
        agentClock = try await SetClock("agent", in: folder)
        controller = Daemon(
            controllerClock.launcher + [
                try Programs.path("innkeeper-controller"), "serve", "--data", folder.file("controller"), "--config",
                folder.file("controller.json"), "--api", installation.addresses.api, "--agents",
                installation.addresses.agents,
            ], logs: folder.file("controller-log"))
        agent = try installation.agent(
            "agent", launcher: agentClock.launcher, configuration: ["drivers": ["host"]])
    }

    func open() async throws {
        try controller.start()
        let front = installation.front
        guard await eventually(within: .seconds(60), { await front.isReady() }) else {
            throw SetupFailure("the controller does not come up: \(controller.log)")
        }
        try await installation.enrol("agent", label: "role=clock")
        try agent.start()
        try await installation.node { $0.state == "connected" }
    }

    /// Two new samples arrive, and the API answers.
    func expectLife(at location: SourceLocation = #_sourceLocation) async throws {
        let before = try stored().position
        let goesOn = try await eventually(within: .seconds(90)) { try self.stored().position >= before + 2 }
        #expect(goesOn, "no samples: \(agent.log.suffix(2000))", sourceLocation: location)
        try await installation.node { $0.state == "connected" }
    }

    var told: String {
        (1...3).map { life in
            (try? String(decoding: folder.read("controller-log/life-\(life).log"), as: UTF8.self)) ?? ""
        }.joined()
    }

    func stop() async {
        await agent.stop()
        await controller.stop()
        await installation.stop()
    }

    /// Samples in the store, and the number up to which all are there.
    func stored() throws -> (rows: Int64, position: Int64) {
        let database = try SQLiteDatabase(
            path: folder.file("controller/controller.sqlite"), options: SQLiteOptions(access: .readOnly))
        defer { database.close() }
        let sql = """
            SELECT (SELECT count(*) FROM metric_rows) + (SELECT coalesce(sum(samples), 0) FROM metric_chunks),
                (SELECT coalesce(max(position), 0) FROM positions WHERE stream = 'metrics')
            """
        return try database.first(sql) { (row) throws(SQLError) in (try row.integer(), try row.integer()) } ?? (0, 0)
    }

    func gaps() throws -> Int64 {
        let database = try SQLiteDatabase(path: folder.file("controller/controller.sqlite"))
        defer { database.close() }
        return try database.first("SELECT count(*) FROM gaps WHERE kind = 'metrics'") { (row) throws(SQLError) in
            try row.integer()
        } ?? -1
    }
}
