import Model
package import Saga
package import Store
package import WireProtocol

/// Whose a thing on a node is: the service that it was made for, and the nonce of its making. It goes along with every command
/// that makes, changes, stops or removes the thing; the node compares it with what the thing bears.
package struct ThingMark: Sendable, Hashable {
    package var service: String
    /// Nil where nobody knows, and where any making of the service's will do. What is made then is known by its command.
    package var nonce: String?

    package init(service: String, nonce: String? = nil) { (self.service, self.nonce) = (service, nonce) }

    package var json: JSONValue {
        var json: JSONObject = ["service": .string(service)]
        json["nonce"] = nonce.map { .string($0) }
        return .object(json)
    }
}

extension ServiceWork {
    /// The mark of a thing of the service's.
    package func mark(_ nonce: String?) -> ThingMark { ThingMark(service: service.id, nonce: nonce) }

    /// Sends a command on a thing that bears our mark. One that bears another's is left alone, and becomes a finding.
    /// - Parameter noun: what people call the thing: `dataset`.
    package func send(
        _ request: ActionRequest, marked mark: ThingMark, as noun: String, to node: String, _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        var request = request
        request.arguments["mark"] = mark.json
        do throws(StepFailure) { return try await send(request, to: node, call) } catch {
            guard error.code == "foreign" else { throw error }
            throw await foreign(request.resource, as: noun, on: node, because: error.message, call)
        }
    }

    /// That a thing was looked at and is not this service's, as a finding and as what the step fails with.
    package func foreign(
        _ resource: String, as noun: String, on node: String, because reason: String, _ call: StepCall
    ) async -> StepFailure {
        let finding = Finding.foreign(noun, resource, of: service, on: node, because: reason)
        do throws(StoreError) { try await dependencies.store.raise(finding, at: dependencies.clock.now()) } catch {
            scope.note(call.step, "that \(resource) is somebody else's could not be stored as a finding: \(error)")
        }
        return StepFailure(
            .final, code: "foreign", message: "\(resource) is not this service's and was left alone: \(reason)",
            resource: resource, effect: .none)
    }

    /// The thing was looked at and is the service's.
    package func settle(_ noun: String) async throws(StepFailure) {
        let (id, now) = (service.id, dependencies.clock.now())
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            .success(try store.settleMark(of: noun, service: id, by: "controller", at: now))
        }
    }
}

extension Store {
    /// Whether a driver of a node knows marks, as it says itself. Those of version 0.1.0 refuse an argument that they do not know.
    package func takesMarks(_ node: String, driver: String) throws(StoreError) -> Bool {
        try self.node(node)?.driversWithMarks.contains(driver) ?? false
    }

    /// A thing of a service's bears the service's mark, whatever was said of it before.
    func settleMark(of noun: String, service: String, by: String, at time: Timestamp) throws(StoreError) {
        for kind in [Finding.foreignKind(noun), Finding.unmarkedKind(noun)] {
            try resolve(kind, subject: "service/\(service)", by: by, at: time)
        }
    }
}

extension NodeRecord {
    var driversWithMarks: Set<String> {
        let drivers = (facts["drivers"]?.asArray ?? []).filter { $0["facts"]?["marks"] == true }
        return Set(drivers.compactMap { $0["name"]?.asString })
    }
}
