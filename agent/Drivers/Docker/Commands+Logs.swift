import DriverKit
import HTTPFetch
import Model
import WireProtocol

extension DockerDriver {
    func sendLogs(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("name")
        let query = try LogQuery(&reader)
        try reader.finish()
        let state = try await existing(name)
        let stream: HTTPStream
        do { stream = try await engine.stream("GET", "/containers/\(state.id)/logs", query: query.pairs) } catch {
            throw error.driverError
        }
        let relay = try await relay(stream, framed: !state.hasTerminal, to: context)
        return ActionOutcome(changed: false, observed: ["id": .string(state.id), "bytes": .integer(relay.count)])
    }

    /// Hands a container's output on, as fast as its reader gives credit.
    func relay(
        _ stream: HTTPStream, framed: Bool, to context: ActionContext
    ) async throws(DriverError) -> OutputRelay {
        var relay = OutputRelay(framed: framed)
        do {
            for try await chunk in stream { try await relay.pass(chunk, to: context) }
        } catch let error as DriverError {
            throw error
        } catch let error as HTTPError {
            throw EngineError.transport(error).driverError
        } catch {
            throw DriverError(.cancelled, "broken off")
        }
        try relay.finish()
        return relay
    }
}

/// What a container writes, on its way to the asker.
struct OutputRelay {
    let framed: Bool
    private var frames = StreamFrames()
    private(set) var count: Int64 = 0
    /// The first bytes of either output: where nothing was started, the runtime's reason stands here.
    private(set) var beginning: [UInt8] = []

    init(framed: Bool) { self.framed = framed }

    mutating func pass(_ chunk: [UInt8], to context: ActionContext) async throws(DriverError) {
        guard let pieces = framed ? frames.feed(chunk) : [(.stdout, chunk)] else {
            throw DriverError(.failed, "the engine's stream of outputs is malformed")
        }
        for (output, bytes) in pieces {
            do { try await context.output(output, bytes) } catch { throw DriverError(.cancelled, "broken off") }
            count += Int64(bytes.count)
            if beginning.count < 1024 { beginning += bytes.prefix(1024 - beginning.count) }
        }
    }

    /// - Throws: when the stream was cut within a piece of output.
    func finish() throws(DriverError) {
        guard frames.isBetweenFrames else {
            throw DriverError(.failed, "the engine's stream of outputs ended in the middle", retryable: true)
        }
    }
}
