import NIOConcurrencyHelpers
import NIOCore

/// Counts connections that have not yet proved who they are, over all event loops of one or more listeners,
/// so that strangers can neither use up memory nor, from one address, keep everyone else out.
package final class ConnectionGate: Sendable {
    private struct Count {
        var total = 0
        var perAddress: [[UInt8]: Int] = [:]
    }

    private let total: Int
    private let perAddress: Int
    private let count = NIOLockedValueBox(Count())

    package init(total: Int = 1024, perAddress: Int = 64) {
        self.total = total
        self.perAddress = perAddress
    }

    /// Connections now under the gate.
    package var unproved: Int { count.withLockedValue { $0.total } }

    /// A place under the gate until it is released; nil when there is none.
    func admit(_ address: SocketAddress?) -> Admission? {
        let key = Self.key(of: address)
        let admitted = count.withLockedValue { count in
            guard count.total < total, count.perAddress[key, default: 0] < perAddress else { return false }
            count.total += 1
            count.perAddress[key, default: 0] += 1
            return true
        }
        return admitted ? Admission(gate: self, key: key) : nil
    }

    private func release(_ key: [UInt8]) {
        count.withLockedValue { count in
            count.total -= 1
            let left = count.perAddress[key, default: 1] - 1
            count.perAddress[key] = left == 0 ? nil : left
        }
    }

    /// An IPv6 host usually has its whole /64, so that is what counts as one address.
    /// On a socket that takes both kinds an IPv4 address comes as `::ffff:a.b.c.d`: there its end is what counts.
    private static func key(of address: SocketAddress?) -> [UInt8] {
        guard let bytes = address?.ipAddress.flatMap(SubjectName.address(of:)), bytes.count == 16 else {
            return address?.ipAddress.map { Array($0.utf8) } ?? []
        }
        let isMapped = bytes.prefix(12).elementsEqual([UInt8](repeating: 0, count: 10) + [255, 255])
        return Array(isMapped ? bytes.suffix(4) : bytes.prefix(8))
    }

    /// One place; it is given back once, at the latest when nobody holds it.
    final class Admission {
        private var gate: ConnectionGate?
        private let key: [UInt8]

        init(gate: ConnectionGate, key: [UInt8]) {
            self.gate = gate
            self.key = key
        }

        func release() {
            gate?.release(key)
            gate = nil
        }

        deinit { release() }
    }
}
