import AgentCommands
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

@Suite struct `The live output of a command` {
    private final class Credit: Sendable {
        let given = Mutex(0)
        var sum: Int { given.withLock { $0 } }
    }

    private func output(_ credit: Credit, followed: Bool) -> LiveOutput {
        LiveOutput(isFollowed: followed, credit: { bytes in credit.given.withLock { $0 += bytes } })
    }

    private func chunk(_ offset: Int, _ count: Int, _ stream: OutputStream = .stdout) -> OutputChunk {
        OutputChunk(stream: stream, offset: Int64(offset), bytes: [UInt8](repeating: 0x61, count: count))
    }

    @Test func `goes on without a reader, and keeps the last of it`() {
        let credit = Credit()
        let live = output(credit, followed: false)
        for number in 0..<100 { live.append(chunk(number * 32768, 32768)) }
        #expect(credit.sum == 100 * 32768)
        #expect(live.bytes <= LiveOutput.limit)
        let kept = live.read(after: OutputPlace())
        #expect(kept.last?.end == 100 * 32768 && (kept.first?.offset ?? 0) > 0)
        #expect(live.tail.reduce(0) { $0 + $1.bytes.count } == LiveOutput.tailLimit)
    }

    @Test func `gets credit only for what its follower has read`() {
        let credit = Credit()
        let live = output(credit, followed: true)
        live.append(chunk(0, 1000))
        live.append(chunk(0, 500, .stderr))
        #expect(credit.sum == 0)
        #expect(live.read(after: OutputPlace()).count == 2)
        #expect(credit.sum == 0, "what was fetched may not have arrived")
        #expect(live.read(after: OutputPlace(stdout: 1000)).map(\.stream) == [.stderr])
        #expect(credit.sum == 1000)
        #expect(live.read(after: OutputPlace(stdout: 1000, stderr: 500)).isEmpty)
        _ = live.read(after: OutputPlace(stdout: 1000, stderr: 500))
        #expect(credit.sum == 1500)
    }

    @Test func `stays bounded though its follower never reads and the link comes back again and again`() {
        let credit = Credit()
        let live = output(credit, followed: true)
        for number in 0..<1000 { live.append(chunk(number * 32768, 32768)) }
        #expect(live.bytes <= 1 << 20)
        #expect(credit.sum == 0)
    }

    @Test(arguments: [Int.max, Int.max - 1, 1 << 62]) func `survives an offset at the end of all numbers`(_ offset: Int)
    {
        for followed in [false, true] {
            let credit = Credit()
            let live = output(credit, followed: followed)
            live.append(chunk(offset, 4))
            live.append(chunk(offset, 8))
            let kept = live.read(after: OutputPlace(stdout: Int64(offset)))
            #expect(kept.reduce(0) { $0 + $1.bytes.count } <= 12)
            _ = live.read(after: OutputPlace(stdout: .max))
            #expect(live.tail.allSatisfy { $0.end > 0 })
        }
    }

    @Test func `is released from a follower that stays away`() {
        let credit = Credit()
        let live = output(credit, followed: true)
        live.append(chunk(0, 1000))
        live.release(ifUnreadFor: .seconds(60))
        #expect(credit.sum == 0)
        live.release(ifUnreadFor: .zero)
        #expect(credit.sum == 1000)
        live.append(chunk(1000, 10))
        #expect(credit.sum == 1010)
    }

    @Test func `takes what is said again after a reconnect once, and shows what is missing`() {
        let live = output(Credit(), followed: false)
        live.append(chunk(0, 100))
        live.append(chunk(50, 100))
        live.append(chunk(300, 10))
        let read = live.read(after: OutputPlace(stdout: 20))
        #expect(read.map(\.offset) == [20, 100, 300])
        #expect(read.map(\.bytes.count) == [80, 50, 10])
    }

    @Test func `rings for readers, and is kept a while for those who come late`() async {
        let live = LiveCommands()
        var bells = live.bell(of: "op_1").makeAsyncIterator()
        let output = live.begin("op_1", command: "op_1.command.1", isFollowed: false) { _ in }
        output.append(chunk(0, 5))
        await bells.next()
        #expect(live.command(of: "op_1") == "op_1.command.1")
        live.end("op_1")
        #expect(live.command(of: "op_1") == nil)
        #expect(live.output(of: "op_1")?.bytes == 5)
        for number in 2...40 {
            _ = live.begin("op_\(number)", command: "c", isFollowed: false) { _ in }
            live.end("op_\(number)")
        }
        #expect(live.output(of: "op_1") == nil)
    }

    @Test func `a command that somebody sat in front of is called off when he shows no sign any more`() async {
        let live = LiveCommands()
        _ = live.begin("op_1", command: "op_1.command.1", isFollowed: true) { _ in }
        let left = Mutex(false)
        let watch = Task {
            await live.watch("op_1", patience: .milliseconds(400)) { left.withLock { $0 = true } }
        }
        let reader = Task { for await _ in live.bell(of: "op_1") {} }
        try? await Task.sleep(for: .milliseconds(900))
        #expect(!left.withLock { $0 }, "there is a reader")
        reader.cancel()
        await watch.value
        #expect(left.withLock { $0 })
    }

    @Test func `is kept with the operation, the last of it, both streams apart`() async throws {
        try await Stage.with { stage in
            let node = AnsweringNode { call, _ in
                await call.observer.output(Output(id: call.id, stream: .stdout, offset: 0, data: Array("out\n".utf8)))
                await call.observer.output(Output(id: call.id, stream: .stderr, offset: 0, data: [0xFF, 0x00]))
                return AnsweringNode.result(call, .succeeded)
            }
            let order = CommandRequest(operation: "docker.container.exec", resource: "docker/web")
            let ended = try await stage.command(order, node)
            let kept = try #require(try await stage.store.output(of: ended.id)?.asArray)
            let chunks = kept.compactMap { OutputChunk($0) }
            #expect(chunks.map(\.stream) == [.stdout, .stderr])
            #expect(chunks.map(\.bytes) == [Array("out\n".utf8), [0xFF, 0x00]])
        }
    }
}
