import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import AgentCore

@Suite struct `The hello` {
    /// What is used and not held counts as lost, so a report that comes meanwhile must be in both or in neither.
    @Test func `what it holds and what it has used are of one moment`() async throws {
        let scratch = try ScratchFolder("hello")
        let files = try await StateFiles.open(in: scratch.path, spoolLimit: 1 << 20, now: .now())
        let machine = Machine(
            hostname: "test", boot: "boot-1",
            system: OperatingSystem(name: "debian", version: "12", kernel: "6", arch: "x86_64"))
        let greeting = Greeting(
            node: "node_1", machine: machine, roster: DriverRoster([]), policy: .standard, files: files)
        let stored = Mutex(Int64(0))
        let isOver = Mutex(false)
        let life = Task {
            defer { isOver.withLock { $0 = true } }
            for seq in Int64(1)...100 {
                _ = try await files.spool.append(.events, time: .now()) { _ in [1] }
                try await Task.sleep(for: .milliseconds(2))
                stored.withLock { $0 = seq }
                try await files.spool.forget(.events, through: seq)
            }
        }
        var hellos = 0
        while !isOver.withLock({ $0 }) {
            let spool = try await greeting.hello().spool
            hellos += 1
            guard spool.events == nil, let used = spool.used?.events else { continue }
            #expect(used <= stored.withLock { $0 }, "the report \(used) is told of as lost")
        }
        try await life.value
        #expect(hellos > 0)
    }
}
