import Glibc
import TestSupport
import Testing
import WireProtocol

extension HostileMachine {
    /// Tools that do anything but their work, started by the real agent for a real controller's orders.
    @Suite struct ChildTests {
        @Test func `whatever a tool does, the rest goes on, the result says what happened, and nothing is left`()
            async throws
        {
            let memory = MemoryGroup.isAvailable ? try MemoryGroup(bytes: 16 << 20) : nil
            let misdeeds = Misdeed.all + (memory.map { [Misdeed.fat($0.members)] } ?? [])
            let bench = try await Bench(misdeeds)
            for misdeed in misdeeds { try await bench.commit(misdeed) }
            await bench.close()
        }

        @Test func `three stuck tools at once leave the fourth place of the driver to others`() async throws {
            let misdeeds = Misdeed.all.filter { ["hangs", "ignores-term", "forks"].contains($0.name) }
            let bench = try await Bench(misdeeds)
            try await bench.vigil.during {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for misdeed in misdeeds { group.addTask { bench.expect(try await bench.order(misdeed), misdeed) } }
                    try await group.waitForAll()
                }
            }
            try await bench.expectNothingLeft("three at once")
            await bench.close()
        }

        @Test(.enabled(if: FrozenGroup.isAvailable, "needs the freezer of the kernel's first control groups"))
        func `a tool that not even KILL ends holds its own resource and nothing else`() async throws {
            let group = try FrozenGroup()
            let misdeed = Misdeed.frozen(group)
            let bench = try await Bench([misdeed])
            let result = try await bench.vigil.during {
                async let result = bench.order(misdeed)
                #expect(await eventually { group.isEntered })
                group.freeze()
                return try await result
            }
            bench.expect(result, misdeed)
            // The child still exists; it goes as soon as the kernel lets it.
            #expect(Census(of: bench.node.pid).children > bench.before.children)
            group.thaw()
            try await bench.expectNothingLeft(misdeed.name)
            await bench.close()
        }

        @Test func `an agent that is asked to end takes its tools with it`() async throws {
            let misdeed = Misdeed.all[0]
            let patient = Misdeed(name: misdeed.name, script: misdeed.script, deadline: .seconds(600))
            let bench = try await Bench([patient], configuration: ["stop_grace_s": 0])
            let waiting = Task { try await bench.order(patient) }
            #expect(await eventually { bench.strays().count > 0 })
            await bench.node.stop()
            #expect(bench.strays() == [])
            waiting.cancel()
            _ = await waiting.result
            await bench.close()
        }
    }
}
