import Glibc
import Synchronization

/// An HTTP peer that does exactly what a test tells it to, well-formed or not. One thread a connection; everything ends
/// with `stop`, or when the last reference goes.
package final class ScriptedServer: Sendable {
    package struct Request: Sendable {
        /// Request line and header fields as they came.
        package var head: String
        package var body: [UInt8]
        package var isChunked: Bool
        package var line: String { String(head.prefix { $0 != "\r\n" }) }
    }

    package enum Step: Sendable {
        case text(String)
        case bytes([UInt8])
        /// A whole response with a length.
        case respond(Int, String)
        /// Writes that many bytes, as fast as the client takes them; `written` counts.
        case flood(Int)
        /// Holds the connection silently until the client closes it; `hangups` counts.
        case hold
        case close
        /// Closes with a TCP reset.
        case reset
        /// Waits until `release` was called as often as steps of this kind were reached.
        case gate
    }

    package let port: UInt16
    package let path: String?
    private let listener: Int32
    private let readsBodies: Bool
    private let answer: @Sendable (Request) -> [Step]
    private let state = Mutex(State())

    private struct State {
        var requests: [Request] = []
        var connections: [Int32: Bool] = [:]
        var accepted = 0
        var hangups = 0
        var written = 0
        var releases = 0
        var isStopped = false
    }

    package var requests: [Request] { state.withLock { $0.requests } }
    package var accepted: Int { state.withLock { $0.accepted } }
    package var hangups: Int { state.withLock { $0.hangups } }
    package var written: Int { state.withLock { $0.written } }
    package var url: String { path == nil ? "http://127.0.0.1:\(port)" : "http://engine" }

    /// Listens on a free port of the loopback, or on a UNIX socket. Without `readingBodies` it answers as soon as it has
    /// a request's header fields.
    package init(
        unixSocket path: String? = nil, readingBodies: Bool = true, answer: @escaping @Sendable (Request) -> [Step]
    ) throws {
        self.path = path
        self.readsBodies = readingBodies
        self.answer = answer
        (listener, port) = try path.map { (try Self.listen(at: $0), 0) } ?? Self.listenOnLoopback()
        let listener = listener
        Self.detach { [weak self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                guard let server = self else {
                    Glibc.close(connection)
                    return
                }
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                server.state.withLock { ($0.connections[connection], $0.accepted) = (true, $0.accepted + 1) }
                Self.detach { server.serve(connection) }
            }
            Glibc.close(listener)
        }
    }

    deinit { stop() }

    package func release() { state.withLock { $0.releases += 1 } }

    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            for connection in state.connections.keys { shutdown(connection, Int32(SHUT_RDWR)) }
        }
        if let path { unlink(path) }
    }

    private func serve(_ connection: Int32) {
        defer {
            state.withLock { $0.connections[connection] = nil }
            Glibc.close(connection)
        }
        while let request = Self.read(from: connection, withBody: readsBodies) {
            state.withLock { $0.requests.append(request) }
            for step in answer(request) {
                guard perform(step, on: connection) else { return }
            }
        }
    }

    /// False when the connection is over.
    private func perform(_ step: Step, on connection: Int32) -> Bool {
        switch step {
        case .text(let text): return write(Array(text.utf8), to: connection)
        case .bytes(let bytes): return write(bytes, to: connection)
        case .respond(let status, let body):
            let head = "HTTP/1.1 \(status) Scripted\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            return write(Array((head + body).utf8), to: connection)
        case .flood(let total):
            let piece = [UInt8](repeating: 0x61, count: 16 << 10)
            for _ in 0..<(total / piece.count) where !write(piece, to: connection) { return false }
            return true
        case .hold:
            var byte: UInt8 = 0
            while recv(connection, &byte, 1, 0) > 0 {}
            state.withLock { $0.hangups += 1 }
            return false
        case .close: return false
        case .reset:
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
            return false
        case .gate:
            while !state.withLock({ $0.isStopped || $0.releases > 0 }) { usleep(2000) }
            state.withLock { $0.releases -= 1 }
            return true
        }
    }

    private func write(_ bytes: [UInt8], to connection: Int32) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                send(connection, buffer.baseAddress! + offset, buffer.count - offset, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                state.withLock { $0.hangups += 1 }
                return false
            }
            offset += count
            state.withLock { $0.written += count }
        }
        return true
    }
}

extension ScriptedServer {
    private static func listenOnLoopback() throws -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && Glibc.listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard bound else { throw SetupFailure("cannot listen on the loopback: \(String(cString: strerror(errno)))") }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// A listening UNIX socket.
    package static func listen(at path: String) throws -> Int32 {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                    && Glibc.listen(listener, 64) == 0
            }
        }
        guard bound else { throw SetupFailure("cannot listen at \(path): \(String(cString: strerror(errno)))") }
        return listener
    }

    /// Runs blocking work on a thread of its own.
    package static func detach(_ work: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let work: @Sendable () -> Void
            init(_ work: @escaping @Sendable () -> Void) { self.work = work }
        }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().work()
                return nil
            }, Unmanaged.passRetained(Box(work)).toOpaque())
        precondition(code == 0, "no thread")
        pthread_detach(thread)
    }

    /// One request, or nil when the client has gone.
    private static func read(from connection: Int32, withBody: Bool) -> Request? {
        var source = ByteSource(connection)
        guard let head = source.until("\r\n\r\n") else { return nil }
        var request = Request(head: head, body: [], isChunked: false)
        guard withBody else { return request }
        let fields = head.lowercased().split(separator: "\r\n")
        if fields.contains("transfer-encoding: chunked") {
            request.isChunked = true
            while let line = source.until("\r\n"), let size = Int(line, radix: 16) {
                guard let chunk = source.take(size + 2) else { return nil }
                if size == 0 { return request }
                request.body += chunk.dropLast(2)
            }
            return nil
        }
        let length = fields.first { $0.hasPrefix("content-length:") }.flatMap {
            Int($0.dropFirst(15).drop { $0 == " " })
        }
        guard let body = source.take(length ?? 0) else { return nil }
        request.body = body
        return request
    }

    /// Reads a connection byte by byte: slow, and never beyond what belongs to the request.
    private struct ByteSource {
        let connection: Int32
        init(_ connection: Int32) { self.connection = connection }

        mutating func until(_ end: String) -> String? {
            var bytes: [UInt8] = []
            while !bytes.suffix(end.utf8.count).elementsEqual(end.utf8) {
                var byte: UInt8 = 0
                guard recv(connection, &byte, 1, 0) == 1 else { return nil }
                bytes.append(byte)
            }
            return String(decoding: bytes.dropLast(end.utf8.count), as: UTF8.self)
        }

        mutating func take(_ count: Int) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: count)
            var offset = 0
            while offset < count {
                let got = bytes.withUnsafeMutableBytes { recv(connection, $0.baseAddress! + offset, count - offset, 0) }
                guard got > 0 else { return nil }
                offset += got
            }
            return bytes
        }
    }
}

/// Why a test's surroundings could not be set up.
package struct SetupFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
