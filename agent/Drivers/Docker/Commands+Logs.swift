import DriverKit
import HTTPFetch
import Model
import WireProtocol

extension DockerDriver {
    func sendLogs(_ call: OperationCall, _ context: OperationContext) async throws(DriverError) -> OperationOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.name("name", .containerName)
        let tail = try reader.optionalInteger("tail", in: 0...1_000_000) ?? 100
        let follows = try reader.bool("follow", default: false)
        var query = [
            ("stdout", "1"), ("stderr", "1"), ("tail", String(tail)), ("follow", follows ? "1" : "0"),
            ("timestamps", try reader.bool("timestamps", default: false) ? "1" : "0"),
        ]
        // Milliseconds since 1970; the engine wants seconds with a fraction.
        for key in ["since", "until"] {
            if let time = try reader.optionalInteger(key, in: 0...253_402_300_799_999) {
                let rest = String(1000 + time % 1000).dropFirst()
                query.append((key, "\(time / 1000).\(rest)"))
            }
        }
        try reader.finish()
        let state = try await existing(name)
        let stream: HTTPStream
        do { stream = try await engine.stream("GET", "/containers/\(state.id)/logs", query: query) } catch {
            throw error.driverError
        }
        let count = try await relay(stream, framed: !state.hasTerminal, to: context)
        return OperationOutcome(changed: false, observed: ["id": .string(state.id), "bytes": .integer(count)])
    }

    /// Hands a container's output on, as fast as its reader gives credit. Returns the bytes.
    func relay(
        _ stream: HTTPStream, framed: Bool, to context: OperationContext
    ) async throws(DriverError) -> Int64 {
        var frames = StreamFrames()
        var count: Int64 = 0
        do {
            for try await chunk in stream {
                guard let pieces = framed ? frames.feed(chunk) : [(.stdout, chunk)] else {
                    throw DriverError(.failed, "the engine's stream of outputs is malformed")
                }
                for (output, bytes) in pieces {
                    try await context.output(output, bytes)
                    count += Int64(bytes.count)
                }
            }
        } catch let error as DriverError {
            throw error
        } catch let error as HTTPError {
            throw EngineError.transport(error).driverError
        } catch {
            throw DriverError(.cancelled, "broken off")
        }
        guard frames.isBetweenFrames else {
            throw DriverError(.failed, "the engine's stream of outputs ended in the middle", retryable: true)
        }
        return count
    }
}
