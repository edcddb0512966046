import DriverKit
import Glibc
import HTTPFetch
import Model
import WireProtocol

extension DockerDriver {
    static let imageActions: [Action<DockerDriver>] = [
        Action(
            ActionSpec(
                "image.import", .mutate, defaultDeadline: .seconds(900),
                summary: "makes an image of a root file system in a tar file on the node")
        ) { (driver, call, context) throws(DriverError) in try await driver.importImage(call, context) },
        Action(
            ActionSpec(
                "image.pull", .mutate, defaultDeadline: .seconds(1800), summary: "fetches an image from its registry")
        ) { (driver, call, context) throws(DriverError) in try await driver.pullImage(call, context) },
        Action(ActionSpec("image.list", .observe, summary: "lists images")) {
            (driver, call, _) throws(DriverError) in try await driver.listImages(call)
        },
        Action(ActionSpec("image.remove", .mutate, summary: "removes an image that no container uses")) {
            (driver, call, _) throws(DriverError) in try await driver.removeImage(call)
        },
    ]

    /// Nil when there is none of that name or id.
    func lookAtImage(_ reference: String) async throws(DriverError) -> ImageState? {
        do {
            return ImageState(try await engine.call("GET", "/images/\(reference)/json"))
        } catch {
            if error.isMissing { return nil }
            throw error.driverError
        }
    }

    private func importImage(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let reference = try reader.string("reference")
        let path = try reader.string("path")
        let replaces = try reader.bool("replace")
        try reader.finish()
        guard !reference.contains("@") else { throw .invalidArgument("reference", "cannot be a digest") }
        let before = try await lookAtImage(reference)
        if let before, !replaces { return ActionOutcome(changed: false, observed: before.observed) }
        let (repository, tag) = Self.split(reference)
        context.progress("importing \(reference)")
        try await create(
            [("fromSrc", "-"), ("repo", repository), ("tag", tag)], body: try tar(at: path), head: nil, context)
        return try await imageOutcome(reference, before)
    }

    /// Only from the folders that are for it: a tar file elsewhere may be a backup, and whether there is one is nobody's to
    /// know either.
    private func tar(at path: String) throws(DriverError) -> HTTPBody {
        let isAdmitted = rights.imageRoots.contains { root in
            path.lies(below: root) && NodePath.real(path)?.lies(below: NodePath.real(root) ?? root) ?? false
        }
        guard isAdmitted else {
            let places = rights.imageRoots.joined(separator: ", ")
            throw DriverError(
                .permissionDenied, "argument path is not below \(places), where this node has image files")
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .invalidArgument("path", "\(path): \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .invalidArgument("path", "\(path) is no file") }
        do { return try HTTPBody.file(path) } catch { throw .invalidArgument("path", "\(error)") }
    }

    private func pullImage(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let reference = try reader.string("reference")
        let always = try reader.bool("always")
        try reader.finish()
        let before = try await lookAtImage(reference)
        if let before, !always { return ActionOutcome(changed: false, observed: before.observed) }
        let (repository, tag) = Self.split(reference)
        try await create(
            [("fromImage", repository), ("tag", tag)], headers: try Self.credentials(call.secrets), head: .seconds(120),
            context)
        return try await imageOutcome(reference, before)
    }

    private func imageOutcome(_ reference: String, _ before: ImageState?) async throws(DriverError) -> ActionOutcome {
        guard let after = try await lookAtImage(reference) else {
            throw DriverError(.failed, "the engine reported success but has no image \(reference)")
        }
        return ActionOutcome(changed: after.id != before?.id, observed: after.observed)
    }

    /// `POST /images/create` answers 200 at once and tells of its failure in the stream.
    private func create(
        _ query: [(String, String)], headers: [(String, String)] = [], body: HTTPBody? = nil, head: Duration?,
        _ context: ActionContext
    ) async throws(DriverError) {
        var lines = JSONLines()
        var problem: String?
        func note(_ objects: [JSONObject]) {
            for object in objects {
                if let text = object["errorDetail"]?["message"]?.asString ?? object["error"]?.asString {
                    problem = text
                }
                Self.report(object, to: context)
            }
        }
        do {
            let stream = try await engine.stream(
                "POST", "/images/create", query: query, headers: headers, body: body, head: head, idle: .seconds(300))
            for try await chunk in stream { note(lines.feed(chunk)) }
            note(lines.finish())
        } catch let error as EngineError {
            throw error.driverError
        } catch let error as HTTPError {
            throw EngineError.transport(error).driverError
        } catch {
            throw DriverError(.failed, "the image could not be made", cause: "\(error)")
        }
        if let problem { throw EngineError.refused(status: 500, message: problem.printable(limit: 500)).driverError }
    }

    /// Layers report many times a second: only their changes of state, not each step, go on.
    private static func report(_ object: JSONObject, to context: ActionContext) {
        guard object["progressDetail"]?["current"] == nil, let status = object["status"]?.asString else { return }
        let layer = object["id"]?.asString.map { "\($0): " } ?? ""
        context.progress((layer + status).printable(limit: 200))
    }

    /// The registry's login, from the call's secrets.
    private static func credentials(_ secrets: JSONObject) throws(DriverError) -> [(String, String)] {
        guard let name = secrets["registry_username"]?.asString else { return [] }
        guard let password = secrets["registry_password"]?.asString else {
            throw .invalidArgument("secrets.registry_password", "is missing")
        }
        let login: JSONValue = ["username": .string(name), "password": .string(password)]
        let text = Base64.encode(login.encoded).map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
        return [("X-Registry-Auth", String(text))]
    }

    private func listImages(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let reader = ArgumentReader(call.arguments)
        try reader.finish()
        let answer = try await engine.doing { () throws(EngineError) -> JSONValue in
            try await engine.call("GET", "/images/json")
        }
        let images = (answer.asArray ?? []).compactMap(ImageState.init)
        return ActionOutcome(changed: false, observed: ["images": .array(images.map { .object($0.observed) })])
    }

    private func removeImage(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let reference = try reader.string("reference")
        let force = try reader.bool("force")
        try reader.finish()
        let gone: JSONObject = ["reference": .string(reference), "state": "absent"]
        do {
            _ = try await engine.call(
                "DELETE", "/images/\(reference)", query: [("force", force ? "1" : "0")], timeout: .seconds(60))
        } catch {
            if error.isMissing { return ActionOutcome(changed: false, observed: gone) }
            throw error.driverError
        }
        guard try await lookAtImage(reference) == nil else {
            throw DriverError(.failed, "image \(reference) is still there after its removal")
        }
        return ActionOutcome(changed: true, observed: gone)
    }

    /// `registry:5000/path:tag` to path and tag; a digest counts as a tag here, no tag is `latest`.
    static func split(_ reference: String) -> (repository: String, tag: String) {
        if let at = reference.firstIndex(of: "@") {
            return (String(reference[..<at]), String(reference[reference.index(after: at)...]))
        }
        let slash = reference.lastIndex(of: "/") ?? reference.startIndex
        guard let colon = reference[slash...].lastIndex(of: ":") else { return (reference, "latest") }
        return (String(reference[..<colon]), String(reference[reference.index(after: colon)...]))
    }
}
