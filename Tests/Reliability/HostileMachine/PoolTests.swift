import Glibc
import Processes
import TestSupport
import Testing
import WireProtocol

extension HostileMachine {
    /// A real ZFS whose pool takes no more writes, or whose daemon stands still.
    @Suite struct PoolTests {
        @Test func `a suspended pool holds the orders for it and nothing else, and works again when it is mended`()
            async throws
        {
            // One in five of these old pools stays ill whatever is done for it; what holds before that is seen each time.
            for _ in 1...4 { if try await suspendAndMend() { return } }
            Issue.record("none of four pools could be mended")
        }

        /// Returns false when the pool itself did not get well.
        private func suspendAndMend() async throws -> Bool {
            let ward = try await Ward()
            try await ward.makeSickPool()
            let first = try await ward.ensure("\(ward.sick)/before")
            #expect(first.status == .succeeded, "\(first)")
            try await ward.suspend()
            let before = Census(of: ward.node.pid)
            let result = try await ward.vigil.during {
                try await ward.ensure("\(ward.sick)/during", deadline: .seconds(3))
            }
            // The tool waits for the pool, or says so at once, as the pool happens to have noticed.
            let said = [
                CommandErrorCode.timedOut: "the deadline of 3000 ms passed", .unavailable: "the pool is suspended",
            ]
            let expected = result.error.flatMap { said[$0.code] } ?? "neither"
            #expect(result.status == .failed && result.error?.message.contains(expected) == true, "\(result)")
            await ward.node.expectNoMore(than: before)
            let isMended = try await ward.mend()
            if isMended {
                let after = try await ward.ensure("\(ward.sick)/after", deadline: .seconds(60))
                #expect(after.status == .succeeded, "\(after)")
            }
            await ward.close()
            return isMended
        }

        @Test func `a ZFS that stands still is timed out, and used again when it goes on`() async throws {
            let ward = try await Ward()
            // What a first order opens, it opens once.
            _ = try await ward.ensure("\(ward.zfs.pool)/before")
            let before = Census(of: ward.node.pid)
            kill(ward.zfs.daemon, SIGSTOP)
            let host = Vigil(node: ward.node, errand: Yard.look)
            let result = try await host.during {
                try await ward.ensure("\(ward.zfs.pool)/during", deadline: .seconds(3))
            }
            kill(ward.zfs.daemon, SIGCONT)
            #expect(result.status == .failed && result.error?.code == .timedOut, "\(result)")
            let after = try await ward.ensure("\(ward.zfs.pool)/after")
            #expect(after.status == .succeeded, "\(after)")
            await ward.node.expectNoMore(than: before)
            await ward.close()
        }
    }
}

/// An agent with a real ZFS of its own, and a second pool that can be made ill.
struct Ward: Sendable {
    let zfs: ZFSFuse
    let centre: Centre
    let node: Node
    let sick: String
    private let place: String

    init() async throws {
        zfs = try await ZFSFuse.start()
        centre = try await Centre()
        node = try await Node(centre, launcher: zfs.launcher, configuration: ["drivers": ["host", "zfs"]])
        sick = "\(zfs.pool)s"
        place = "\(zfs.mountpoint)-sick"
    }

    func close() async {
        await node.stop()
        await centre.stop()
        await zfs.stop()
    }

    /// Orders for the pool that is well.
    var vigil: Vigil {
        let pool = zfs.pool
        return Vigil(node: node) { node in
            try await node.order(
                "zfs", "dataset.ensure", on: "zfs/\(pool)/well", ["dataset": .string("\(pool)/well")])
        }
    }

    func ensure(_ dataset: String, deadline: Duration = .seconds(60)) async throws -> CommandResult {
        try await node.order(
            "zfs", "dataset.ensure", on: "zfs/\(dataset)", ["dataset": .string(dataset)], deadline: deadline)
    }

    /// A pool that promises more room than the disk below it has.
    func makeSickPool() async throws {
        try await demand("/bin/mkdir", place)
        try await demand("/bin/mount", "-t", "tmpfs", "-o", "size=80m", "sick", place)
        try await demand("/usr/bin/truncate", "--size", "256m", "\(place)/pool.img")
        try await demand("/usr/sbin/zpool", "create", "-m", "\(place)-data", sick, "\(place)/pool.img")
    }

    /// Writes until the disk below has no room: from then on each write of the pool fails, and the pool waits.
    func suspend() async throws {
        let (zfs, place) = (zfs, place)
        // It may hang in the kernel until the pool is mended.
        Task {
            try await zfs.command(
                "/bin/dd", "if=/dev/urandom", "of=\(place)-data/before/file", "bs=1M", "count=200")
        }
        let isHung = await eventually {
            let probe = try? await zfs.command("/usr/bin/timeout", "2", "/usr/sbin/zfs", "set", "atime=off", sick)
            return probe?.exit == .code(124)
        }
        guard isHung else { throw SetupFailure("the pool does not hang") }
    }

    /// Gives the disk its room, and the pool the chance to go on. While failed writes are on their way, it refuses.
    func mend() async throws -> Bool {
        try await demand("/bin/mount", "-o", "remount,size=400m", place)
        return try await eventually(within: .seconds(10)) {
            try await zfs.command("/usr/sbin/zpool", "clear", sick).succeeded
        }
    }

    private func demand(_ words: String...) async throws {
        let outcome = try await zfs.command(words)
        guard outcome.succeeded else { throw SetupFailure("\(words): \(outcome.errorText)") }
    }
}
