package import APIModels
import Model
package import Store
import WireProtocol

// What the store's records look like from outside, to who may see all of them.

extension Node {
    init(_ record: NodeRecord, withFacts: Bool = false) {
        let isKnown = record.cpuMillis > 0 || record.memoryBytes > 0
        self.init(
            id: record.id, name: record.name, state: record.state.rawValue, schedulable: record.schedulable,
            labels: record.labels,
            capacity: isKnown
                ? Capacity(
                    cpuMillis: record.cpuMillis, memoryBytes: record.memoryBytes, diskBytes: record.diskBytes) : nil,
            agentVersion: record.agentVersion, lastSeen: record.lastSeen, enrolledAt: record.enrolledAt,
            certificateExpires: record.certificateExpires, revokedAt: record.revokedAt, approvedAt: record.approvedAt,
            claims: withFacts && !record.facts.isEmpty ? NodeClaimsView(record) : nil,
            facts: withFacts && !record.facts.isEmpty ? .object(record.facts) : nil)
        draining = record.drain == nil ? nil : true
    }
}

extension NodeClaimsView {
    init(_ record: NodeRecord) {
        let claims = NodeClaims(facts: record.facts)
        let doubts = claims.judged(against: record.approvedClaims).doubts.map(\.description)
        self.init(
            cpuMillis: claims.cpuMillis, memoryBytes: claims.memoryBytes, pools: claims.pools,
            doubts: doubts.isEmpty ? nil : doubts)
    }

    package var claims: NodeClaims { NodeClaims(cpuMillis: cpuMillis, memoryBytes: memoryBytes, pools: pools) }
}

extension JoinTokenView {
    init(_ record: TokenRecord, token: String? = nil) {
        self.init(
            id: record.id, labels: record.labels, usesLeft: record.usesLeft, createdAt: record.createdAt,
            createdBy: record.createdBy, expiresAt: record.expiresAt, revokedAt: record.revokedAt,
            approved: record.approves,
            token: token)
    }
}

extension Plan {
    init(_ record: PlanRecord, _ catalogue: Catalogue) {
        self.init(
            name: record.name, product: record.product, revision: record.revision,
            spec: .object(catalogue.shown(record.spec, of: record.product)), changedAt: record.createdAt,
            retiredAt: record.retiredAt)
    }
}

extension Service {
    init(
        _ record: ServiceRecord, _ catalogue: Catalogue, metrics: [String: Double]? = nil, operation: Operation? = nil
    ) {
        self.init(
            id: record.id, externalID: record.externalID, customer: record.customer, product: record.product,
            plan: record.plan,
            state: record.state.rawValue, node: record.node, generation: record.generation,
            createdAt: record.createdAt, updatedAt: record.updatedAt,
            spec: .object(catalogue.shown(record.spec, of: record.product)),
            observed: record.observed.isEmpty ? nil : JSONValue.object(record.observed).withHiddenSecrets,
            drift: record.observed["drift"]?["kind"]?.asString, metrics: metrics, operation: operation)
    }
}

extension Service {
    /// As it stands in lists: without what agents and plans have to say at length.
    init(summaryOf record: ServiceRecord, _ catalogue: Catalogue) {
        self.init(record, catalogue)
        (spec, observed) = (nil, nil)
    }
}

extension Operation {
    /// As it stands in lists: without what was found.
    init(summaryOf record: OperationRecord) {
        self.init(record)
        result = nil
        if let message = error?.message { error?.message = message.capped(to: 512) }
    }

    /// - Parameter steps: given when this one operation is looked at, which then also tells how its node was chosen.
    /// - Parameter withResult: what a command on a node has found is for those who may run one.
    init(_ record: OperationRecord, steps: [OperationStep]? = nil, withResult: Bool = false) {
        var result = record.result?.asObject ?? [:]
        let placement = result["placement"]
        result["placement"] = nil
        let command = try? NodeCommand(record)
        if record.service == nil, !withResult { result["observed"] = nil }
        self.init(
            id: record.id, kind: record.kind, state: record.state.rawValue, service: record.service,
            node: record.node, requestedBy: record.requestedBy, createdAt: record.createdAt,
            startedAt: record.startedAt, finishedAt: record.finishedAt, cancelRequested: record.cancelRequested,
            error: record.error.map {
                OperationError(
                    code: $0.code, message: $0.message, retryable: $0.retryable, resource: $0.resource)
            }, result: result.isEmpty ? nil : JSONValue.object(result).withHiddenSecrets,
            reason: record.parameters["reason"]?.asString,
            placement: steps == nil ? nil : placement.flatMap { try? BodyDecoder.model(PlacementView.self, from: $0) },
            steps: steps, command: command.map { CommandView($0) })
    }
}

extension CommandView {
    init(_ command: NodeCommand) {
        self.init(
            name: command.name, resource: command.resource,
            deadlineSeconds: command.deadline.wholeMilliseconds / 1000)
    }
}

extension LogLine {
    /// Nil where the line is not for the viewer.
    init?(_ record: OperationLogRecord, for viewer: Viewer) {
        guard let text = viewer.shown(logText: record.text, record.level) else { return nil }
        self.init(seq: record.seq, time: record.time, level: record.level, step: record.step, text: text)
    }
}

extension APIKey {
    init(_ record: KeyRecord, secret: String? = nil) {
        self.init(
            id: record.id, name: record.name, scopes: record.scopes, customer: record.customer,
            createdAt: record.createdAt, expiresAt: record.expiresAt, lastUsedAt: record.lastUsedAt,
            revokedAt: record.revokedAt, secret: secret)
    }
}

extension AuditEntry {
    /// - Parameter name: of the actor.
    init(_ record: AuditRecord, name: String?) {
        self.init(
            id: record.id, time: record.time, actor: record.actor, actorName: name, action: record.action,
            subject: record.subject, detail: record.detail.isEmpty ? nil : .object(record.detail),
            remote: record.remote)
    }
}
