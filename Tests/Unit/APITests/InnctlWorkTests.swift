import APIModels
import Model
import Store
import TestSupport
import Testing
import WireProtocol

@testable import API
@testable import HTTP

/// What operators do when something is wrong, and what they look at, with the command line as a process of its own.
@Suite struct InnctlWorkTests {
    @Test func `a placement is explained before the order, for people and for programs`() async throws {
        try await OpenHouse.with { open in
            try await PlacementTests.fleet(open.house)
            let table = try await open.innctl("service", "explain", "--plan", "small", loggedIn: true)
            #expect(table.code == 0, "\(table.error)")
            #expect(table.output.hasPrefix("node alpha, pool tank\n"))
            #expect(table.output.contains("beta") && table.output.contains("it is cordoned"))
            let json = try await open.innctl(
                "service", "explain", "--plan", "small", "--memory", "1T", "-o", "json", loggedIn: true)
            #expect(json.code == 0, "\(json.error)")
            let placement = try JSONParser.parse(json.output)
            #expect(placement["node"] == nil && placement["nodes"]?.asArray?.count == 3)
        }
    }

    @Test func `an operation shows its steps, its reason and how its node was chosen`() async throws {
        try await OpenHouse.with { open in
            let house = open.house
            let id = try await house.addService().operation.id
            try await house.store.updateOperation(id) {
                $0.parameters["reason"] = "new customer"
                $0.result = [
                    "placement": [
                        "node": "nod_1",
                        "nodes": [
                            [
                                "node": "nod_1", "name": "a", "verdict": "chosen", "score": 9,
                                "explanation": "a: it fits",
                            ],
                            ["node": "nod_2", "name": "b", "verdict": "excluded", "explanation": "b: it is cordoned"],
                        ],
                    ]
                ]
            }
            let shown = try await open.innctl("operation", "show", id, loggedIn: true)
            #expect(shown.code == 0, "\(shown.error)")
            for text in ["new customer", "1/5", "place", "pending", "snapshot (auxiliary)", "it is cordoned"] {
                #expect(shown.output.contains(text), "\(text) is not in \(shown.output)")
            }
        }
    }

    @Test func `a failed service is provisioned anew, and one without its container repaired`() async throws {
        try await OpenHouse.with { open in
            let house = open.house
            let id = try #require(await house.addService().service?.id)
            try await house.end(of: id, .failed)
            let retry = try await open.innctl("service", "retry", id, "--reason", "disk replaced", loggedIn: true)
            #expect(retry.code == 0, "\(retry.error)")
            let queued = try #require(await house.store.unfinishedOperations(service: id).first)
            #expect(queued.kind == "provision" && queued.parameters["reason"] == "disk replaced")
            try await house.end(of: id, .running)
            let repair = try await open.innctl("service", "repair", id, "-o", "json", loggedIn: true)
            #expect(repair.code == 0, "\(repair.error)")
            #expect(try JSONParser.parse(repair.output)["operation"]?["kind"] == "repair")
        }
    }

    @Test func `a burnt node is revoked, its services are struck off, and it is removed`() async throws {
        try await OpenHouse.with { open in
            let house = open.house
            try await house.addNode()
            let id = try #require(await house.addService().service?.id)
            try await house.end(of: id, .running)
            try await house.store.updateService(id, at: house.clock.time) { $0.node = "nod_1" }
            // Each step is refused until the one before it is done, with the exit code of a conflict.
            for early in [["service", "abandon", id, "--yes"], ["node", "remove", "alpha", "--yes"]] {
                let refused = try await open.innctl(early, loggedIn: true)
                #expect(refused.code == 5, "\(early): \(refused.code) \(refused.error)")
                #expect(refused.error.split(separator: "\n").count == 1 && refused.output.isEmpty)
            }
            #expect(try await open.innctl("node", "revoke", "alpha", "--yes", loggedIn: true).code == 0)
            #expect(try await open.innctl("node", "remove", "alpha", "--yes", loggedIn: true).code == 5)
            let struck = try await open.innctl("service", "abandon", id, "--reason", "fire", "--yes", loggedIn: true)
            #expect(struck.code == 0 && struck.output.contains("terminated"), "\(struck.error)")
            #expect(try await open.innctl("service", "abandon", id, "--yes", loggedIn: true).code == 0)
            #expect(try await open.innctl("node", "remove", "alpha", "--yes", loggedIn: true).code == 0)
            #expect(try await open.innctl("node", "show", "alpha", loggedIn: true).code == 3)
            let audit = try await open.innctl("audit", loggedIn: true)
            #expect(audit.output.contains("service.abandon") && audit.output.contains("fire"))
        }
    }

    @Test func `an order that does not fit the state ends with the exit code of a conflict`() async throws {
        try await OpenHouse.with { open in
            let id = try #require(await open.house.addService().service?.id)
            for verb in ["resume", "retry"] {
                let refused = try await open.innctl("service", verb, id, loggedIn: true)
                #expect(refused.code == 5 && refused.error.contains("it must be"), "\(verb): \(refused.error)")
            }
        }
    }

    @Test func `nodes are listed with what people look for`() async throws {
        try await OpenHouse.with { open in
            try await open.house.addNode()
            try await open.house.addNode("nod_2", name: "beta")
            _ = try await open.innctl("node", "cordon", "beta", loggedIn: true)
            let list = try await open.innctl("node", "list", loggedIn: true)
            let lines = list.output.split(separator: "\n")
            #expect(list.code == 0 && lines.count == 3)
            #expect(lines[1].contains("alpha") && lines[1].contains("8 GiB"), "\(list.output)")
            #expect(Self.words(lines[2])[0...2] == ["beta", "never", "no (cordoned)"], "\(list.output)")
            let json = try JSONParser.parse(try await open.innctl("node", "list", "-o", "json", loggedIn: true).output)
            #expect(json.asArray?.map { $0["schedulable"] } == [true, false])
        }
    }

    @Test func `the past of a metric is a row with its least, mean and most`() async throws {
        try await OpenHouse.with { open in
            let house = open.house
            try await house.addNode()
            let now = Timestamp.now()
            let rows: [SampleRow] = (0..<3).map { index in
                let age = Duration.seconds(300 - 60 * index)
                return SampleRow(seq: Int64(index + 1), time: now - age, set: "s1", values: [Double(10 * index), 1])
            }
            let names = SeriesSet(set: "s1", names: ["host.cpu.user", "host.load.1"])
            _ = try await house.store.take(Intake(node: "nod_1", series: [names], samples: rows))
            let past = try await open.innctl(
                "metrics", "node", "alpha", "--range", "10m", "--step", "60s", "--name", "host.cpu.*", loggedIn: true)
            #expect(past.code == 0, "\(past.error)")
            let lines = past.output.split(separator: "\n").map { Self.words($0) }
            try #require(lines.count == 2, "\(past.output)")
            #expect(lines[0] == ["METRIC", "POINTS", "LEAST", "MEAN", "MOST", "LAST"])
            #expect(lines[1] == ["host.cpu.user", "3", "0 %", "10 %", "20 %", "20 %"])
            let none = try await open.innctl("metrics", "node", "alpha", "--range", "soon", loggedIn: true)
            #expect(none.code == 2)
        }
    }

    @Test func `a watched metric is shown again and again until somebody stops it`() async throws {
        try await OpenHouse.with { open in
            let id = try await MetricsTests.measured(open.house)
            let log = open.house.folder.file("watch.log")
            let program = try open.started(["metrics", "service", id, "--watch", "--every", "1s"], log: log)
            let isRepeated = await eventually { program.output.components(of: "memory.used   102") >= 3 }
            await program.stop()
            #expect(isRepeated, "\(program.output)")
            #expect(program.output.contains("dataset.used"))
        }
    }
}

extension InnctlWorkTests {
    /// Cells of a table: two spaces or more stand between them.
    private static func words(_ line: Substring) -> [String] {
        line.split(separator: "  ").map { cell in String(cell.drop { $0 == " " }) }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}

extension OpenHouse {
    /// A command that goes on until it is stopped.
    func started(_ arguments: [String], log: String) throws -> BackgroundProgram {
        let variables = try variables(loggedIn: true).map { "\($0.key)=\($0.value)" }
        return try BackgroundProgram("env", variables + [Self.program] + arguments, log: log)
    }
}
