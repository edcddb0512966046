import DriverKit
import Model
import Processes
import Synchronization
import WireProtocol

/// Snapshots on their way out.
extension ZFSDriver {
    /// Streams a snapshot as output, as fast as its reader gives credit.
    func send(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let request = try SendRequest(&reader)
        try reader.finish()
        try call.concerns(request.dataset)
        let total = try await look(at: request)
        let meter = TransferMeter(total, "sending \(request.source)", context)
        try await tools.pour(.zfs, request.words) { (stream, bytes) throws(CancellationError) in
            guard stream == .stdout else { return }
            try await context.output(.stdout, bytes)
            meter.add(bytes)
        }
        return .seen(meter.json(of: request))
    }

    func estimateSend(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let request = try SendRequest(&reader)
        try reader.finish()
        guard let bytes = try await estimate(request).bytes else {
            throw DriverError(.unsupported, "this version of ZFS does not say how much it would send")
        }
        return .seen(["dataset": .string(request.dataset), "estimated_bytes": .integer(bytes)])
    }

    /// Looks before sending: that the snapshots are there, or that the token stands for the call's dataset.
    /// - Returns: the bytes to expect, where ZFS can say.
    func look(at request: SendRequest) async throws(DriverError) -> Int64? {
        guard request.token == nil else {
            let estimate = try await estimate(request)
            guard let name = estimate.name, name.split(separator: "@").first.map(String.init) == request.dataset else {
                throw .invalidArgument("resume_token", "stands for \(estimate.name ?? "something else")")
            }
            return estimate.bytes
        }
        let names = [request.source] + (request.base.map { ["\(request.dataset)\($0)"] } ?? [])
        for name in names {
            if name.contains("#") { try await requireBookmarks(of: request.dataset) }
            _ = try await require(name, ["guid"])
        }
        do {
            return try await estimate(request).bytes
        } catch {
            // Old tools send without saying how much; what they cannot send they will say then.
            if error.code == .unsupported { return nil }
            throw error
        }
    }

    private func estimate(_ request: SendRequest) async throws(DriverError) -> SendEstimate {
        SendEstimate(try await tools.read(.zfs, request.estimateWords))
    }
}

/// Counts the bytes of a transfer and tells how far it is, about once a second.
final class TransferMeter: Sendable {
    private let total: Int64?
    private let what: String
    private let context: ActionContext
    private let state: Mutex<(bytes: Int64, header: [UInt8], told: ContinuousClock.Instant)>

    init(_ total: Int64?, _ what: String, _ context: ActionContext) {
        (self.total, self.what, self.context) = (total, what, context)
        state = Mutex((0, [], .now))
        context.progress(what, 0)
    }

    var bytes: Int64 { state.withLock { $0.bytes } }

    func add(_ bytes: [UInt8]) {
        let told = state.withLock { state -> Int64? in
            state.bytes += Int64(bytes.count)
            if state.header.count < StreamHeader.length { state.header += bytes.prefix(StreamHeader.length) }
            guard .now - state.told >= .seconds(1) else { return nil }
            state.told = .now
            return state.bytes
        }
        if let told { tell(told) }
    }

    private func tell(_ bytes: Int64) {
        let fraction = total.flatMap { $0 > 0 ? min(1, Double(bytes) / Double($0)) : nil }
        context.progress("\(what): \(bytes) bytes", fraction)
    }

    /// What was sent: how much, and which snapshot that brings to whoever receives it.
    func json(of request: SendRequest) -> JSONObject {
        var object: JSONObject = ["dataset": .string(request.dataset), "bytes": .integer(bytes)]
        object["snapshot"] = request.snapshot.map { .string($0) }
        object["estimated_bytes"] = total.map { .integer($0) }
        if let header = StreamHeader(state.withLock { $0.header }), !header.isPackage {
            object["guid"] = .string(String(header.guid))
            object["base_guid"] = header.baseGUID == 0 ? nil : .string(String(header.baseGUID))
        }
        return object
    }
}
