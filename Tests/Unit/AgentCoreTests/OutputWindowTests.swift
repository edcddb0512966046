import AgentCore
import DriverKit
import Testing

@Suite struct `The output window` {
    private func bytes(_ count: Int, _ value: UInt8 = 1) -> [UInt8] { [UInt8](repeating: value, count: count) }

    @Test func `output is sent as far as the credit goes, then the writer waits`() {
        var window = OutputWindow(credit: 10)
        window.write(.stdout, bytes(15))
        #expect(window.take().map(\.bytes.count) == [10])
        #expect(window.mustWait)
        #expect(window.take().isEmpty)
        window.grant(5)
        let rest = window.take()
        #expect(rest.map(\.offset) == [10])
        #expect(rest.map(\.bytes.count) == [5])
        #expect(!window.mustWait)
    }

    @Test func `pieces fit a line, and each stream counts its own offsets`() {
        var window = OutputWindow(credit: 1 << 20)
        window.write(.stdout, bytes(OutputWindow.chunkLimit + 1))
        window.write(.stderr, bytes(3))
        let chunks = window.take()
        #expect(chunks.map(\.bytes.count) == [OutputWindow.chunkLimit, 1, 3])
        #expect(chunks.map(\.offset) == [0, Int64(OutputWindow.chunkLimit), 0])
        #expect(chunks.map(\.stream) == [.stdout, .stdout, .stderr])
    }

    @Test func `with nobody listening the writer goes on and only the tail is kept`() {
        var window = OutputWindow(credit: 0)
        window.write(.stdout, bytes(100))
        #expect(window.mustWait)
        window.detach()
        #expect(!window.mustWait)
        for _ in 0..<100 { window.write(.stdout, bytes(4096, 7)) }
        #expect(window.pendingBytes == OutputWindow.tailLimit)
        window.attach(credit: 1 << 20)
        let chunks = window.take()
        #expect(chunks.reduce(0) { $0 + $1.bytes.count } == OutputWindow.tailLimit)
        #expect(chunks.first?.offset == Int64(100 + 100 * 4096 - OutputWindow.tailLimit), "the jump shows what is lost")
    }

    @Test func `a new listener starts with its own credit`() {
        var window = OutputWindow(credit: 1000)
        window.detach()
        window.write(.stdout, bytes(50))
        window.attach(credit: 20)
        #expect(window.take().map(\.bytes.count) == [20])
    }

    @Test(arguments: [Int.max, -5, 0])
    func `no credit from the network overflows or goes below nothing`(credit: Int) {
        var window = OutputWindow(credit: credit)
        window.grant(.max)
        window.grant(.max)
        window.grant(-1)
        window.write(.stdout, bytes(5))
        #expect(window.take().map(\.bytes.count) == [5])
    }
}
