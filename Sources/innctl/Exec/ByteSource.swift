import Glibc
import Synchronization
import WireProtocol

/// The bytes of a file descriptor, read by a thread of its own, one piece at a time and only when somebody asks.
final class ByteSource: Sendable {
    private static let pieceLimit = 96 << 10

    private let stream: AsyncStream<[UInt8]>
    private let wanted = Wanted()
    private let trouble: Trouble

    /// Why nothing more is read, where that is not the end of it.
    private final class Trouble: Sendable {
        let code = Mutex<Int32?>(nil)
    }

    /// What was wrong when the last bytes had come; nil at a proper end.
    var failure: String? { trouble.code.withLock { $0.map { String(cString: strerror($0)) } } }

    /// A semaphore: the reading thread waits for its turn, so that nothing piles up here.
    private final class Wanted: @unchecked Sendable {
        // sem_t is made for use from several threads; its place in memory never changes.
        private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        init() { sem_init(semaphore, 0, 0) }
        func post() { sem_post(semaphore) }
        func wait() { while sem_wait(semaphore) != 0 {} }
    }

    private struct Work {
        let descriptor: Int32
        let wanted: Wanted
        let feed: AsyncStream<[UInt8]>.Continuation
        let trouble: Trouble

        func run() {
            var buffer = [UInt8](repeating: 0, count: ByteSource.pieceLimit)
            while true {
                wanted.wait()
                var count = read(descriptor, &buffer, buffer.count)
                while count < 0, errno == EINTR { count = read(descriptor, &buffer, buffer.count) }
                guard count > 0 else {
                    if count < 0 { trouble.code.withLock { $0 = errno } }
                    feed.finish()
                    return
                }
                feed.yield(Array(buffer[..<count]))
            }
        }
    }

    init(_ descriptor: Int32) {
        let (stream, feed) = AsyncStream.makeStream(of: [UInt8].self)
        self.stream = stream
        trouble = Trouble()
        let work = Unmanaged.passRetained(
            Box(Work(descriptor: descriptor, wanted: wanted, feed: feed, trouble: trouble)))
        var thread = pthread_t()
        let made = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().work.run()
                return nil
            }, work.toOpaque())
        guard made == 0 else {
            work.release()
            feed.finish()
            return
        }
        // It may sit in a read for ever; the end of the process ends it.
        pthread_detach(thread)
    }

    private final class Box {
        let work: Work
        init(_ work: Work) { self.work = work }
    }

    /// The next bytes; nil at the end, or when the task is cancelled. For one reader.
    func next() async -> [UInt8]? {
        wanted.post()
        for await bytes in stream { return bytes }
        return nil
    }
}

extension [UInt8] {
    var base64: String { Base64.encode(self) }
}
