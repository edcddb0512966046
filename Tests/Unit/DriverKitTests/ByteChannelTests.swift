import DriverKit
import Synchronization
import Testing

@Suite struct ByteChannelTests {
    @Test func `all bytes arrive in order, and no more wait than the limit allows`() async throws {
        let channel = ByteChannel(limit: 1000)
        let written = Mutex(0)
        let writer = Task {
            for number in 0..<500 {
                try await channel.write([UInt8](repeating: UInt8(number % 256), count: 100))
                written.withLock { $0 += 100 }
            }
            channel.finish()
        }
        var taken = 0
        var wrong = 0
        for await piece in channel.stream {
            if piece != [UInt8](repeating: UInt8(taken / 100 % 256), count: 100) { wrong += 1 }
            taken += piece.count
            let ahead = written.withLock { $0 } - taken
            #expect(ahead <= 1000)
        }
        try await writer.value
        #expect(taken == 50_000 && wrong == 0)
    }

    @Test func `a reader that goes ends a writer that waits`() async throws {
        let channel = ByteChannel(limit: 10)
        let writer = Task { () -> Bool in
            do {
                for _ in 0..<10 { try await channel.write([UInt8](repeating: 0, count: 8)) }
                return false
            } catch { return true }
        }
        try await Task.sleep(for: .milliseconds(20))
        channel.close()
        #expect(await writer.value)
    }

    @Test func `a cancelled writer stops waiting, and a cancelled reader ends the stream`() async throws {
        let channel = ByteChannel(limit: 1)
        let writer = Task { try await channel.write([1, 2, 3]) }
        try await Task.sleep(for: .milliseconds(20))
        writer.cancel()
        await #expect(throws: CancellationError.self) { try await writer.value }
        let empty = ByteChannel()
        let reader = Task {
            var count = 0
            for await _ in empty.stream { count += 1 }
            return count
        }
        reader.cancel()
        #expect(await reader.value == 0)
        await #expect(throws: CancellationError.self) { try await empty.write([1]) }
    }

    @Test func `lines come whole whatever the pieces, and one that is too long is dropped alone`() {
        let text = Array("one\ntwo\n\(String(repeating: "x", count: 50))\n\nlast".utf8)
        for size in 1...text.count {
            var splitter = LineSplitter(limit: 20)
            var lines: [[UInt8]] = []
            for start in stride(from: 0, to: text.count, by: size) {
                lines += splitter.feed(text[start..<min(text.count, start + size)])
            }
            if let rest = splitter.finish() { lines.append(rest) }
            #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["one", "two", "", "last"])
            #expect(splitter.dropped == 1)
        }
    }
}
