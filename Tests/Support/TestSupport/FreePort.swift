import Glibc
import Synchronization

private let given = Mutex<Set<UInt16>>([])

/// A port of the loopback address that nobody listens on now; this program gets each only once.
package func freePort() throws -> UInt16 {
    for _ in 0..<100 {
        let port = try unusedPort()
        if given.withLock({ $0.insert(port).inserted }) { return port }
    }
    throw SetupFailure("no free port that was not given out before")
}

private func unusedPort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard isBound else { throw SetupFailure("no free port") }
    return UInt16(bigEndian: address.sin_port)
}
