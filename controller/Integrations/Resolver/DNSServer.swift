import Glibc
import Model

/// Where a name server listens.
struct DNSServer: Sendable, Hashable, CustomStringConvertible {
    var address: IPAddress
    var port: UInt16

    init(address: IPAddress, port: UInt16) { (self.address, self.port) = (address, port) }

    /// `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`.
    init?(_ text: String) {
        if let address = IPAddress(text) {
            self.init(address: address, port: 53)
            return
        }
        guard Grammar.hostPort.accepts(text), let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]),
            let address = IPAddress(text[..<colon].filter { $0 != "[" && $0 != "]" })
        else { return nil }
        self.init(address: address, port: port)
    }

    var description: String {
        if port == 53 { return "\(address)" }
        return address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }

    var family: Int32 { address.family == .v4 ? AF_INET : AF_INET6 }

    /// As `connect` takes it.
    func withSocketAddress<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        switch address.family {
        case .v4:
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            name.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.number).bigEndian
            return withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .v6:
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { room in
                for place in 0..<16 { room[place] = UInt8(truncatingIfNeeded: address.number >> (8 * (15 - place))) }
            }
            return withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }
}
