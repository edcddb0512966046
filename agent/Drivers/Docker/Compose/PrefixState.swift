import DriverKit
import Synchronization

/// The unfinished lines of a container's two outputs.
final class PrefixState: Sendable {
    private struct Lines {
        var open: [OutputStream: [UInt8]] = [:]
        var count: Int64 = 0
    }

    private let state = Mutex(Lines())

    var count: Int64 { state.withLock { $0.count } }

    /// The lines that `bytes` complete, each behind the prefix; one beyond the limit is cut there.
    func take(_ stream: OutputStream, _ bytes: [UInt8], _ prefix: [UInt8], limit: Int) -> [UInt8] {
        state.withLock { state in
            var line = state.open[stream] ?? []
            var result: [UInt8] = []
            for byte in bytes {
                if byte != 0x0A { line.append(byte) }
                if byte == 0x0A || line.count >= limit {
                    result += prefix + line + [0x0A]
                    line.removeAll(keepingCapacity: true)
                }
            }
            state.open[stream] = line
            state.count += Int64(result.count)
            return result
        }
    }

    func rest(_ stream: OutputStream, _ prefix: [UInt8]) -> [UInt8] {
        state.withLock { state in
            guard let line = state.open.removeValue(forKey: stream), !line.isEmpty else { return [] }
            let result = prefix + line + [0x0A]
            state.count += Int64(result.count)
            return result
        }
    }
}
