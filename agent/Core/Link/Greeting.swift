import DriverKit
import Glibc
import Model
import WireProtocol

/// Makes the first line of each session: who the agent is, what it can do, and what it still holds.
struct Greeting: Sendable {
    let node: String
    let machine: Machine
    let roster: DriverRoster
    let policy: Policy
    let files: StateFiles
    private let started = Timestamp.now()

    init(node: String, machine: Machine, roster: DriverRoster, policy: Policy, files: StateFiles) {
        self.node = node
        self.machine = machine
        self.roster = roster
        self.policy = policy
        self.files = files
    }

    func hello() async throws -> Hello {
        let receipts = try await files.journal.unacknowledged(limit: Hello.maximumReceipts)
        let (held, used) = try await files.spool.announcement()
        func range(_ kind: ReportKind) -> SpoolRange? {
            held[kind].map { SpoolRange(first: $0.lowerBound, last: $0.upperBound) }
        }
        roster.tell()
        return Hello(
            agent: Version.current, node: node, boot: machine.boot, started: started.milliseconds,
            hostname: machine.hostname, os: machine.system, drivers: await reports(),
            receipts: receipts.map { ReceiptReport(id: $0.id, status: CommandStatus(code: $0.state.rawValue)) },
            spool: SpoolReport(
                epoch: files.spool.epoch, metrics: range(.metrics), usage: range(.usage), events: range(.events),
                used: used))
    }

    /// A driver whose facts do not come in time is listed without them: it must not keep the node from being seen.
    func reports() async -> [DriverReport] {
        var reports: [DriverReport] = []
        let absences = roster.absences
        for driver in roster.drivers {
            let (name, catalogue) = (type(of: driver).name, policy.catalogue(of: driver))
            var facts = await Self.facts(of: driver)
            facts["absent"] = absences[name].map { .string($0) }
            // One that can only sometimes says so itself.
            if driver is any MarkStore, facts["marks"] == nil { facts["marks"] = true }
            reports.append(
                DriverReport(
                    name: name, version: driver.version, operations: catalogue.filter(\.allowed).map(\.name),
                    facts: facts, catalogue: catalogue))
        }
        return reports.fitting
    }

    private static func facts(of driver: any Driver) async -> JSONObject {
        let (answers, feed) = AsyncStream.makeStream(of: JSONObject.self)
        let work = Task {
            feed.yield(await driver.facts())
            feed.finish()
        }
        let limit = Task {
            try? await Task.sleep(for: .seconds(5))
            feed.finish()
        }
        defer {
            work.cancel()
            limit.cancel()
        }
        for await facts in answers { return facts }
        return [:]
    }
}
