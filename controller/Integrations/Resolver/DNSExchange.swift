import Glibc

/// One question to one server, by a moment. Blocks its thread for no longer.
struct DNSExchange {
    let query: DNSQuery
    let server: DNSServer
    let end: ContinuousClock.Instant

    /// The most datagrams that are looked at: others than the server may send them too.
    private static let patience = 64

    /// Over UDP, and over TCP where the answer is cut. Nil without one.
    func answer() -> DNSAnswer? {
        guard let bytes = overUDP() else { return nil }
        guard DNSQuery.isCut(bytes) else { return query.answer(bytes) }
        return overTCP().flatMap { query.answer($0) }
    }

    /// A socket of its own for each question: a port that nobody can guess.
    private func overUDP() -> [UInt8]? {
        guard let descriptor = connected(SOCK_DGRAM) else { return nil }
        defer { close(descriptor) }
        guard send(descriptor, query.bytes, query.bytes.count, Int32(MSG_NOSIGNAL)) == query.bytes.count else {
            return nil
        }
        var room = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<Self.patience {
            guard isReady(descriptor, Int16(POLLIN)) else { return nil }
            let count = recv(descriptor, &room, room.count, 0)
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else { return nil }
            let bytes = Array(room.prefix(count))
            // What is cut may hold nothing but its head.
            if query.isAnswered(by: bytes), DNSQuery.isCut(bytes) || query.answer(bytes) != nil { return bytes }
        }
        return nil
    }

    private func overTCP() -> [UInt8]? {
        guard let descriptor = connected(SOCK_STREAM), isReady(descriptor, Int16(POLLOUT)) else { return nil }
        defer { close(descriptor) }
        let count = query.bytes.count
        let message = [UInt8(count >> 8), UInt8(count & 0xFF)] + query.bytes
        guard send(descriptor, message, message.count, Int32(MSG_NOSIGNAL)) == message.count,
            let head = read(descriptor, 2)
        else { return nil }
        return read(descriptor, Int(head[0]) << 8 | Int(head[1]))
    }

    private func connected(_ type: __socket_type) -> Int32? {
        let kind = Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(server.family, kind, 0)
        guard descriptor >= 0 else { return nil }
        let code = server.withSocketAddress { connect(descriptor, $0, $1) }
        guard code == 0 || errno == EINPROGRESS else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private func read(_ descriptor: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8]()
        var room = [UInt8](repeating: 0, count: max(1, count))
        while bytes.count < count {
            guard isReady(descriptor, Int16(POLLIN)) else { return nil }
            let got = recv(descriptor, &room, count - bytes.count, 0)
            if got < 0, errno == EAGAIN || errno == EINTR { continue }
            guard got > 0 else { return nil }
            bytes += room.prefix(got)
        }
        return bytes
    }

    private func isReady(_ descriptor: Int32, _ events: Int16) -> Bool {
        while true {
            let (seconds, attoseconds) = ContinuousClock.now.duration(to: end).components
            let left = seconds * 1000 + attoseconds / 1_000_000_000_000_000
            guard left > 0 else { return false }
            var wanted = pollfd(fd: descriptor, events: events, revents: 0)
            let code = poll(&wanted, 1, Int32(clamping: left))
            if code < 0, errno == EINTR { continue }
            return code > 0
        }
    }
}
