import DriverKit
import Model
import WireProtocol

/// Namespaces that are one service's own.
extension HelmDriver {
    func tellNamespace(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("namespace")
        try reader.finish()
        return .seen(try await described(name, try await namespace(name)))
    }

    func ensureNamespace(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        let (name, mark) = try call.namespaceAndMark(context)
        if let found = try await namespace(name) {
            try found.checkKept()
            return .seen(try await described(name, found))
        }
        let wanted: JSONValue = [
            "apiVersion": "v1", "kind": "Namespace",
            // What is made in it can neither be root nor reach the node, whatever a chart says.
            "metadata": mark.metadata(name, labels: ["pod-security.kubernetes.io/enforce": "restricted"]),
        ]
        let failure = await failure { () throws(DriverError) in try await self.create(wanted, in: nil) }
        // Whatever it said: it is there and ours, or it is not.
        guard let made = try await seen("namespaces", name, in: nil, after: failure) else {
            throw failure ?? DriverError(.failed, "namespace \(name) was made and is not there", retryable: true)
        }
        try made.check(mark)
        try made.checkKept()
        return ActionOutcome(changed: failure == nil, observed: try await described(name, made))
    }

    /// Removes a namespace with all that is in it, and waits until nothing is left.
    func removeNamespace(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let seconds = try reader.integer("timeout_s")
        let (name, mark) = try call.namespaceAndMark(context)
        guard let found = try await namespace(name) else { return .seen(try await described(name, nil)) }
        try found.check(mark)
        context.progress("removing namespace \(name)")
        if !found.isTerminating {
            let failure = await failure { () throws(DriverError) in
                try await self.tools.act(
                    .kubectl, ["delete", "--wait=false", "--request-timeout=30s", "--", "namespaces", name])
            }
            if let failure, failure.code != .notFound { throw failure.afterChange() }
        }
        return try await wait(forEndOf: name, .seconds(seconds))
    }

    private func wait(forEndOf name: String, _ limit: Duration) async throws(DriverError) -> ActionOutcome {
        let end = ContinuousClock.now + limit
        while true {
            var left: JSONObject = [:]
            var cause: String?
            do throws(DriverError) {
                let found = try await namespace(name)
                left = try await described(name, found)
                guard found != nil else { return ActionOutcome(changed: true, observed: left) }
            } catch {
                guard error.code == .unavailable || error.code == .timedOut else { throw error.afterChange() }
                cause = error.told
            }
            guard ContinuousClock.now + pause < end, (try? await Task.sleep(for: pause)) != nil else {
                throw DriverError(
                    .timedOut, "namespace \(name) is there \(limit.components.seconds) s after its removal began",
                    retryable: true, cause: cause ?? left.remaining
                ).afterChange()
            }
        }
    }

    // MARK: secrets

    /// Makes a secret of random words once. One that is there stays as it is: databases keep the password that they were made with.
    func ensureSecret(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (name, keys) = (try reader.string("secret"), try reader.object("keys") ?? [:])
        let (namespace, mark) = try call.namespaceAndMark(context)
        let lengths = keys.members.map { ($0.key, Int($0.value.asInteger ?? 32)) }
        guard try await self.namespace(namespace) != nil else {
            throw DriverError(.notFound, "there is no namespace \(namespace)")
        }
        if let found = try await secret(name, in: namespace) {
            return .seen(try found.told(mark, namespace, lengths.map(\.0)))
        }
        var generator = SystemRandomNumberGenerator()
        let words = lengths.map { ($0.0, JSONValue.string(Self.word($0.1, &generator))) }
        let wanted: JSONValue = [
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": mark.metadata(name),
            "stringData": .object(JSONObject(words)),
        ]
        let failure = await failure { () throws(DriverError) in try await self.create(wanted, in: namespace) }
        guard let made = try await seen("secrets", name, in: namespace, after: failure) else {
            throw failure ?? DriverError(.failed, "secret \(name) was made and is not there", retryable: true)
        }
        return ActionOutcome(changed: failure == nil, observed: try made.told(mark, namespace, lengths.map(\.0)))
    }

    private static func word(_ length: Int, _ generator: inout SystemRandomNumberGenerator) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
        return String(
            decoding: (0..<length).map { _ in letters.randomElement(using: &generator) ?? 0x78 }, as: UTF8.self)
    }

    // MARK: looking

    func namespace(_ name: String) async throws(DriverError) -> ClusterObject? {
        try await object("namespaces", name, in: nil)
    }

    private func secret(_ name: String, in namespace: String) async throws(DriverError) -> ClusterObject? {
        try await object("secrets", name, in: namespace)
    }

    private func object(
        _ kind: String, _ name: String, in namespace: String?
    ) async throws(DriverError) -> ClusterObject? {
        let place = namespace.map { ["--namespace", $0] } ?? []
        do {
            let output = try await tools.look(
                .kubectl, ["get", "--request-timeout=30s", "--output=json"] + place + ["--", kind, name])
            return ClusterObject(json: try JSONValue(helm: output))
        } catch  where error.code == .notFound { return nil }
    }

    private func create(_ object: JSONValue, in namespace: String?) async throws(DriverError) {
        let place = namespace.map { ["--namespace", $0] } ?? []
        try await tools.act(
            .kubectl, ["create", "--request-timeout=30s", "--output=name"] + place + ["--filename=-"],
            input: object.encoded)
    }

    /// What is there after something was tried. The caller may have been cancelled, and still has to know.
    private func seen(
        _ kind: String, _ name: String, in namespace: String?, after failure: DriverError?
    ) async throws(DriverError) -> ClusterObject? {
        let looked = await Task { () -> Result<ClusterObject?, DriverError> in
            do throws(DriverError) { return .success(try await self.object(kind, name, in: namespace)) } catch {
                return .failure(error)
            }
        }.value
        switch looked {
        case .success(let found): return found
        case .failure(let error):
            throw DriverError(
                .unknownOutcome, "it was tried, and what became of it cannot be seen", retryable: true,
                cause: failure?.told ?? error.told
            ).afterChange()
        }
    }

    private func described(_ name: String, _ found: ClusterObject?) async throws(DriverError) -> JSONObject {
        guard let found else { return ["namespace": .string(name), "present": false] }
        let claims = try await list("persistentvolumeclaims", in: name)
        var observed: JSONObject = [
            "namespace": .string(name), "present": true, "terminating": .bool(found.isTerminating),
            "claims": .array(claims.prefix(100).map { .string($0.name) }),
            "problems": .array(found.problems.prefix(20).map { .string(String($0.prefix(500))) }),
        ]
        observed["mark"] = found.mark?.json
        return observed
    }
}

extension ActionCall {
    /// What a change of a namespace is about; checks that its lane is the namespace's.
    fileprivate func namespaceAndMark(_ context: ActionContext) throws(DriverError) -> (String, Mark) {
        let name = try ArgumentReader.namespace(of: arguments)
        guard resource == "helm/\(name)" else {
            throw DriverError(
                .invalidArgument, "namespace \(name) is not what the call's resource \(resource) names")
        }
        guard let mark else { throw .invalidArgument("mark", "is missing") }
        guard Grammar.labelValue.accepts(mark.service) else {
            throw .invalidArgument("mark", "names a service that cannot be a label")
        }
        return (name, mark.made(by: context.commandID))
    }
}

extension ArgumentReader {
    fileprivate static func namespace(of arguments: JSONObject) throws(DriverError) -> String {
        var reader = ArgumentReader(arguments)
        return try reader.string("namespace")
    }
}

extension ClusterObject {
    fileprivate func check(_ mark: Mark) throws(DriverError) {
        guard let found = self.mark, mark.service == found.service else {
            throw DriverError(.foreign, "\(word) bears no mark of \(mark.service): it is somebody else's")
        }
    }

    fileprivate func checkKept() throws(DriverError) {
        guard isTerminating else { return }
        throw DriverError(
            .busy, "\(word) is being removed", cause: problems.isEmpty ? nil : problems.joined(separator: "; "))
    }

    /// Why a namespace that is being removed is still there.
    fileprivate var problems: [String] {
        (status["conditions"]?.asArray ?? []).filter { $0["status"] == "True" }.compactMap { $0["message"]?.asString }
    }

    /// A secret's names; never what they stand for.
    fileprivate func told(_ mark: Mark, _ namespace: String, _ keys: [String]) throws(DriverError) -> JSONObject {
        try check(mark)
        let there = Set(json["data"]?.asObject?.keys ?? []).union(json["stringData"]?.asObject?.keys ?? [])
        let missing = keys.filter { !there.contains($0) }
        guard missing.isEmpty else {
            throw DriverError(.conflict, "\(word) is there without \(missing.joined(separator: ", "))")
        }
        return [
            "namespace": .string(namespace), "secret": .string(name), "present": true,
            "keys": .array(keys.map { .string($0) }),
        ]
    }
}

extension JSONObject {
    /// Of a namespace that withstands its removal.
    fileprivate var remaining: String? {
        let claims = (self["claims"]?.asArray ?? []).compactMap(\.asString)
        let said = (self["problems"]?.asArray ?? []).compactMap(\.asString)
        let parts = (claims.isEmpty ? [] : ["claims that stay: \(claims.joined(separator: ", "))"]) + said
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
