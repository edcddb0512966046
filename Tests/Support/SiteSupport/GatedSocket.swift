import Glibc
import Synchronization
import TestSupport

/// Stands between the agent and the engine's socket, hands every byte on, and stops at the gate.
package final class GatedSocket: Sendable {
    package let path: String
    private let engine: String
    private let gate: Gate
    private let listener: Int32

    package init(at path: String, to engine: String, gate: Gate) throws {
        (self.path, self.engine, self.gate) = (path, engine, gate)
        listener = try ScriptedServer.listen(at: path)
        let listener = listener
        ScriptedServer.detach { [weak self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                guard let socket = self else { break }
                socket.serve(client)
            }
            Glibc.close(listener)
        }
    }

    package func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
    }

    private func serve(_ client: Int32) {
        let pair = Pair(client: client, engine: Self.connect(to: engine))
        let gate = gate
        ScriptedServer.detach {
            pair.copy(from: pair.client, to: pair.engine) { bytes in
                guard let action = Self.action(of: bytes) else { return }
                try? gate.pass(Gate.Point(engine: .docker, action: action, moment: .before))
                pair.asked(action)
            }
            // The end of what is asked is not the end of the answer: a command's input may be over before its output.
            shutdown(pair.engine, Int32(SHUT_WR))
            pair.leave()
        }
        ScriptedServer.detach {
            pair.copy(from: pair.engine, to: pair.client) { bytes in
                guard let action = pair.answered() else { return }
                gate.note(.docker, action, Self.status(of: bytes))
                try? gate.pass(Gate.Point(engine: .docker, action: action, moment: .after))
            }
            pair.close()
            pair.leave()
        }
    }

    private static func status(of bytes: ArraySlice<UInt8>) -> String {
        let words = String(decoding: bytes.prefix(30), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? String(words[1]) : "?"
    }

    /// What a request changes; nil when it only looks. The agent's client writes the head of a request at once.
    private static func action(of bytes: ArraySlice<UInt8>) -> String? {
        guard let line = String(decoding: bytes.prefix(300), as: UTF8.self).split(separator: "\r\n").first else {
            return nil
        }
        let words = line.split(separator: " ")
        guard words.count == 3, words[2].hasPrefix("HTTP/") else { return nil }
        let path = words[1].prefix { $0 != "?" }
        if words[0] == "DELETE", path.contains("/containers/") { return "remove" }
        guard words[0] == "POST" else { return nil }
        if path.hasSuffix("/images/create") { return "image" }
        return path.split(separator: "/").last.map(String.init)
    }

    private static func connect(to path: String) -> Int32 {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return descriptor
    }
}

/// Two connections that are one.
private final class Pair: Sendable {
    let client: Int32
    let engine: Int32
    private let state = Mutex<(action: String?, closings: Int)>((nil, 0))

    init(client: Int32, engine: Int32) { (self.client, self.engine) = (client, engine) }

    func asked(_ action: String) { state.withLock { $0.action = action } }

    func answered() -> String? {
        state.withLock { state in
            defer { state.action = nil }
            return state.action
        }
    }

    /// Hands bytes on until either side is gone; `look` sees them first.
    func copy(from source: Int32, to target: Int32, _ look: (ArraySlice<UInt8>) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = recv(source, &buffer, buffer.count, 0), count > 0 {
            look(buffer[..<count])
            var offset = 0
            while offset < count {
                let sent = buffer.withUnsafeBytes {
                    send(target, $0.baseAddress! + offset, count - offset, Int32(MSG_NOSIGNAL))
                }
                guard sent > 0 else { return }
                offset += sent
            }
        }
    }

    /// The end of the answer is the end of all.
    func close() {
        shutdown(client, Int32(SHUT_RDWR))
        shutdown(engine, Int32(SHUT_RDWR))
    }

    /// The descriptors go when both directions are done.
    func leave() {
        let isLast = state.withLock { state in
            state.closings += 1
            return state.closings == 2
        }
        guard isLast else { return }
        Glibc.close(client)
        Glibc.close(engine)
    }
}
