import DriverKit
import Model
import Processes
import Synchronization
import WireProtocol

/// Snapshots on their way in.
extension ZFSDriver {
    /// Makes a dataset of the stream that comes as input, or brings it forward. What is there already is right.
    func receive(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let request = try ReceiveRequest(&reader, target: "dataset", mark: call.mark, by: context.commandID)
        try reader.finish()
        try call.concerns(request.target)
        let meter = TransferMeter(nil, "receiving \(request.target)", context)
        let stream = IncomingStream(context.input) { piece in meter.add(piece) }
        return try await take(stream, request)
    }

    /// Takes a stream in, judged by what is there afterwards.
    func take(_ stream: IncomingStream, _ request: ReceiveRequest) async throws(DriverError) -> ActionOutcome {
        let options = try await receiveOptions(request.target)
        let header = try await stream.header()
        if header.isPackage, !options.setsProperties {
            throw DriverError(
                .unsupported, "this version of ZFS would let the stream decide where it is mounted: send it plain")
        }
        let before = try await standing(of: request, against: header)
        if let present = before.present { return .seen(received(present, stream)) }
        try await makeParents(of: request.target)
        do throws(DriverError) {
            try await tools.drink(request.words(options, header, isNew: before.isNew), stream.rest)
        } catch {
            let outcome = try await told(error, request, options)
            if before.isNew, error.code != .conflict { await sweep(request) }
            throw outcome
        }
        do throws(DriverError) {
            return try await settle(request, header, stream, options, isNew: before.isNew)
        } catch { throw error.afterChange() }
    }

    private struct Standing {
        /// Nothing has the target's name, so that what comes is the caller's.
        var isNew = false
        /// The snapshot that the stream would bring.
        var present: ZFSObject?
    }

    /// What the target has of the stream already; refuses what cannot end well before anything is started.
    private func standing(
        of request: ReceiveRequest, against header: StreamHeader
    ) async throws(DriverError) -> Standing {
        guard let target = try await look(request.target) else { return Standing(isNew: true) }
        try request.checkOwner(of: target)
        guard !header.isPackage, !header.resumes else { return Standing() }
        let snapshots = try await ownSnapshots(of: request.target)
        if let present = snapshots.first(where: { $0.text("guid") == String(header.guid) }) {
            return Standing(present: present)
        }
        if header.baseGUID != 0, !snapshots.contains(where: { $0.text("guid") == String(header.baseGUID) }) {
            throw DriverError(
                .conflict, "\(request.target) does not have the snapshot that the stream builds on",
                cause: "its guid is \(header.baseGUID)")
        }
        if header.baseGUID == 0, !request.overwrites, try await resumeToken(of: request.target) == nil {
            throw DriverError(.conflict, "dataset \(request.target) is there already")
        }
        return Standing()
    }

    /// A dataset's own snapshots with their identities, oldest first.
    func ownSnapshots(of dataset: String) async throws(DriverError) -> [ZFSObject] {
        let text = try await tools.read(.zfs, ["list", "-H", "-t", "snapshot", "-o", "name", "-r", "--", dataset])
        let names = text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("\(dataset)@") }
        return try await objects(names, ZFSObject.snapshotProperties + ["createtxg"])
            .sorted { ($0.number("createtxg") ?? 0) < ($1.number("createtxg") ?? 0) }
    }

    /// The stream ended well as far as the tool says: that the snapshot is there, and only as wished, is seen afterwards.
    private func settle(
        _ request: ReceiveRequest, _ header: StreamHeader, _ stream: IncomingStream, _ options: ReceiveOptions,
        isNew: Bool
    ) async throws(DriverError) -> ActionOutcome {
        let snapshots = try await ownSnapshots(of: request.target)
        let isThere: (ZFSObject) -> Bool = { header.isPackage || $0.text("guid") == String(header.guid) }
        guard let latest = snapshots.last(where: isThere) else {
            throw DriverError(.failed, "the snapshot of the stream is not there after it was received")
        }
        for (name, value) in options.setsProperties ? [] : request.laterSettings(isNew: isNew) {
            try await tools.actPatiently(["set", "\(name)=\(value)", request.target])
        }
        return ActionOutcome(changed: true, observed: received(latest, stream))
    }

    private func received(_ snapshot: ZFSObject, _ stream: IncomingStream) -> JSONObject {
        var object = snapshot.json
        object["bytes"] = .integer(stream.bytes)
        return object
    }

    /// What a failed receive has left: a part that can be gone on with, or nothing.
    private func told(
        _ error: DriverError, _ request: ReceiveRequest, _ options: ReceiveOptions
    ) async throws(DriverError) -> DriverError {
        guard options.keepsPartial, request.keepsPartial,
            let token = try? await resumeToken(of: request.target), !token.isEmpty
        else { return error }
        let code: DriverErrorCode = error.code == .unknownOutcome ? .failed : error.code
        return DriverError(
            code, "\(error.message); what came is kept: receive.state tells the token to go on with",
            retryable: true, cause: error.cause
        ).afterChange()
    }

    /// ZFS removes what a failed receive has begun, but not while something looks at it, and what stays would stand in the way of
    /// the next attempt.
    private func sweep(_ request: ReceiveRequest) async {
        let target = request.target
        guard let left = try? await look(target), left.owner == nil || left.owner == request.mark?.service,
            (try? await resumeToken(of: target)) ?? "" == "", (try? await ownSnapshots(of: target))?.isEmpty == true
        else { return }
        try? await tools.actPatiently(["destroy", "--", target])
    }

    func tellReceiveState(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("dataset")
        try reader.finish()
        let snapshots = try await look(name) == nil ? [] : try await ownSnapshots(of: name)
        let token = try await resumeToken(of: name)
        let latest: JSONValue? = snapshots.last.map { .object($0.json) }
        return .seen([
            "dataset": .string(name), "resume_token": token.map { .string($0) } ?? nil, "latest": latest ?? nil,
            "guids": .array(snapshots.compactMap { $0.text("guid") }.map { .string($0) }),
        ])
    }

    /// Throws away what an interrupted receive has left. Nothing left already is right.
    func abortReceive(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("dataset")
        try reader.finish()
        try call.concerns(name)
        let gone: JSONObject = ["dataset": .string(name), "resume_token": nil]
        guard try await look(name, ["guid"]) != nil, try await resumeToken(of: name) != nil else { return .seen(gone) }
        try await tools.actPatiently(["receive", "-A", "--", name])
        if try await look(name, ["guid"]) != nil, try await resumeToken(of: name) != nil {
            throw DriverError(.failed, "the interrupted receive of \(name) is there after its removal")
        }
        return ActionOutcome(changed: true, observed: gone)
    }

    /// The token of an interrupted receive; nil for none, and where ZFS keeps none.
    func resumeToken(of name: String) async throws(DriverError) -> String? {
        do {
            return try await look(name, ["receive_resume_token"])?.text("receive_resume_token")
        } catch  where error.code == .invalidArgument || error.code == .unsupported {
            return nil
        }
    }

    /// Asks the tool what its `receive` knows, once: `-n` and an empty stream do nothing, unknown options are said.
    private func receiveOptions(_ target: String) async throws(DriverError) -> ReceiveOptions {
        if let known = observed.withLock({ $0.receiveOptions }) { return known }
        func knows(_ words: [String]) async throws(DriverError) -> Bool {
            try await tools.knows(.zfs, ["receive", "-n"] + words + ["--", target])
        }
        let options = ReceiveOptions(
            leavesUnmounted: try await knows(["-u"]), keepsPartial: try await knows(["-s"]),
            setsProperties: try await knows(["-x", "sharenfs"]))
        observed.withLock { $0.receiveOptions = options }
        return options
    }
}
