import DriverKit
import Model
import Testing
import WireProtocol

@testable import DockerDriver

@Suite struct FrameTests {
    /// `abc` and `f` on the one output, `de` on the other, and an empty frame.
    static let stream: [UInt8] = [
        1, 0, 0, 0, 0, 0, 0, 3, 97, 98, 99, 2, 0, 0, 0, 0, 0, 0, 2, 100, 101, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0,
        0,
        1, 102,
    ]

    @Test(arguments: 1...30)
    func `frames come out alike however the bytes are cut`(size: Int) throws {
        var frames = StreamFrames()
        var (stdout, stderr): ([UInt8], [UInt8]) = ([], [])
        for start in stride(from: 0, to: Self.stream.count, by: size) {
            let piece = Array(Self.stream[start..<min(start + size, Self.stream.count)])
            let pieces = frames.feed(piece)
            for (stream, bytes) in try #require(pieces) {
                if stream == .stdout { stdout += bytes } else { stderr += bytes }
            }
        }
        #expect(stdout == Array("abcf".utf8))
        #expect(stderr == Array("de".utf8))
        #expect(frames.isBetweenFrames)
    }

    @Test func `what is no frame is noticed`() {
        var frames = StreamFrames()
        let plain = frames.feed(Array("plain text".utf8))
        #expect(plain == nil)
        var cut = StreamFrames()
        _ = cut.feed([1, 0, 0, 0, 0, 0, 0, 9, 65])
        #expect(!cut.isBetweenFrames)
    }

    @Test(arguments: 1...20)
    func `lines come out alike however the bytes are cut`(size: Int) {
        let text = Array("{\"a\":1}\r\n\nnot json\n{\"b\":2}\n{\"c\":3}".utf8)
        var lines = JSONLines()
        var objects: [JSONObject] = []
        for start in stride(from: 0, to: text.count, by: size) {
            objects += lines.feed(Array(text[start..<min(start + size, text.count)]))
        }
        objects += lines.finish()
        #expect(objects == [["a": 1], ["b": 2], ["c": 3]])
    }

    @Test func `a line without an end is not kept`() {
        var lines = JSONLines()
        let piece = [UInt8](repeating: 0x20, count: 1 << 16)
        var objects: [JSONObject] = []
        for _ in 0..<100 { objects += lines.feed(piece) }
        objects += lines.feed(Array("\n{\"a\":1}\n".utf8))
        #expect(objects == [["a": 1]])
    }

    @Test func `an event is taken once, and those that carry command lines never`() throws {
        var log = EventLog()
        let event: JSONObject = [
            "Action": "die", "timeNano": 1_700_000_000_123_456_789,
            "Actor": ["ID": "abc", "Attributes": ["name": "web", "exitCode": "137", "innkeeper.service": "svc"]],
        ]
        let first = log.take(event)
        let taken = try #require(first)
        #expect(taken.kind == "container.died")
        #expect(taken.resource == "docker/web")
        #expect(taken.time.milliseconds == 1_700_000_000_123)
        let again = log.take(event)
        #expect(again == nil)
        #expect(log.query.contains { $0 == ("since", "1700000000") })
        var secret = event
        secret["Action"] = "exec_create: mysql -ptopsecret"
        let hidden = log.take(secret)
        #expect(hidden == nil)
        var health = event
        health["Action"] = "health_status: unhealthy"
        let told = log.take(health)
        #expect(told?.data["health"] == "unhealthy")
    }

    @Test func `traffic is the sum over the devices but the loopback`() {
        let table = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
                lo:     100       1    0    0    0     0          0         0      100       1    0
              eth0:    2000       2    0    0    0     0          0         0     3000       3    0
              eth1:40000000000       2    0    0    0     0          0         0     50       3    0
            """
        let sums = ContainerReading.traffic(table)
        #expect(sums.received == 40_000_002_000)
        #expect(sums.sent == 3050)
    }
}
