import NIOConcurrencyHelpers
import NIOCore

/// Holds the number of connections that have not yet proved who they are, over all event loops of one or more
/// listeners, so that strangers can neither use up memory nor keep everyone else out.
///
/// A newcomer is always let in. When there is no room the oldest goes: of the newcomer's own address when that has its
/// share, else of the address that has most. Who means it well is through within a few round trips; who only holds a
/// place is the oldest soon. Only when the process is about to run out of descriptors does the newcomer go.
package final class ConnectionGate: Sendable {
    private struct Guest {
        let number: Int
        /// Called from any thread.
        let evict: @Sendable () -> Void
    }

    private struct Guests {
        var total = 0
        var last = 0
        /// By address, oldest first.
        var guests: [[UInt8]: [Guest]] = [:]
    }

    private let total: Int
    private let perAddress: Int
    private let state = NIOLockedValueBox(Guests())

    package init(total: Int = 1024, perAddress: Int = 64) {
        self.total = total
        self.perAddress = perAddress
    }

    /// Connections now under the gate.
    package var unproved: Int { state.withLockedValue { $0.total } }

    /// A place under the gate until it is released.
    /// - Parameter evict: called, from any thread, when the place is needed for somebody else; it is taken by then.
    func admit(_ address: SocketAddress?, evict: @escaping @Sendable () -> Void) -> Admission {
        let key = address?.networkBytes ?? []
        let (number, evicted) = state.withLockedValue { state in
            let evicted = makeRoom(for: key, &state)
            state.last += 1
            state.total += 1
            state.guests[key, default: []].append(Guest(number: state.last, evict: evict))
            return (state.last, evicted)
        }
        evicted?.evict()
        if Descriptors.areScarce { evict() }
        return Admission(gate: self, key: key, number: number)
    }

    private func makeRoom(for key: [UInt8], _ state: inout Guests) -> Guest? {
        var crowded: [UInt8]?
        if state.guests[key]?.count ?? 0 >= perAddress {
            crowded = key
        } else if state.total >= total {
            crowded = state.guests.max { $0.value.count < $1.value.count }?.key
        }
        guard let crowded, let oldest = state.guests[crowded]?.first else { return nil }
        remove(oldest.number, crowded, &state)
        return oldest
    }

    private func remove(_ number: Int, _ key: [UInt8], _ state: inout Guests) {
        guard let index = state.guests[key]?.firstIndex(where: { $0.number == number }) else { return }
        state.guests[key]?.remove(at: index)
        if state.guests[key]?.isEmpty == true { state.guests[key] = nil }
        state.total -= 1
    }

    private func release(_ number: Int, _ key: [UInt8]) {
        state.withLockedValue { remove(number, key, &$0) }
    }

    /// One place; it is given back once, at the latest when nobody holds it.
    final class Admission {
        private var gate: ConnectionGate?
        private let key: [UInt8]
        private let number: Int

        init(gate: ConnectionGate, key: [UInt8], number: Int) {
            self.gate = gate
            self.key = key
            self.number = number
        }

        func release() {
            gate?.release(number, key)
            gate = nil
        }

        deinit { release() }
    }
}
