import Model
import Store

/// What a look at a domain outside of any operation leads to. Pure.
struct DomainVerdict: Sendable, Hashable {
    enum Loss: Sendable, Hashable { case proof, route }

    /// As it is to be noted.
    var record: DomainRecord
    /// Something is to be done for it.
    var wantsCheck = false
    /// What had been there and is gone.
    var loss: Loss?
    /// It has not come to be the service's for so long that it goes off its books.
    var hasLapsed = false
    /// What is there.
    let sight: DomainSight

    /// How often what had been there must not be found, one time after another, before it is believed to be gone.
    static let patience: Int64 = 2
    /// How long a service waits for the proof of a name.
    static let claim = Duration.days(7)
    private static let soon = Duration.seconds(600)
    private static let daily = Duration.days(1)

    /// - Parameter isTaken: another service has proven the name.
    init(_ domain: DomainRecord, _ sight: DomainSight, isTaken: Bool = false, at now: Timestamp) {
        (record, self.sight) = (domain, sight)
        record.checkedAt = now
        if isTaken, !domain.isKept {
            lapse(DomainRefusal.taken(domain.name).sentence, now)
        } else if !sight.isProven {
            judgeUnproven(now)
        } else if let objection = sight.objection {
            judgeAstray(objection, now)
        } else if record.state == .active {
            (record.misses, record.reason, record.dueAt) = (0, "", now + Self.daily)
        } else {
            begin(now)
        }
    }

    private mutating func judgeUnproven(_ now: Timestamp) {
        let reason = DomainSight.missingProof(of: record)
        guard record.state > .awaitingProof else { return lapse(reason, now) }
        miss(.proof, .awaitingProof, reason, now)
    }

    private mutating func lapse(_ reason: String, _ now: Timestamp) {
        // What was made for it has to be removed by an operation.
        hasLapsed = !record.isKept && now - record.since > Self.claim
        wait(reason, now)
    }

    private mutating func judgeAstray(_ objection: String, _ now: Timestamp) {
        switch record.state {
        // Its zone may be made now.
        case .awaitingProof: begin(now)
        case .proven: wait(objection, now)
        case .routed, .certified, .active: miss(.route, .proven, objection, now)
        }
    }

    private mutating func wait(_ reason: String, _ now: Timestamp) {
        (record.misses, record.reason) = (0, reason)
        record.dueAt = now + Self.pause(now - record.since)
    }

    private mutating func miss(_ loss: Loss, _ state: DomainRecord.State, _ reason: String, _ now: Timestamp) {
        record.misses += 1
        record.dueAt = now + Self.soon
        guard record.misses >= Self.patience else { return }
        (self.loss, record.state, record.reason, record.misses) = (loss, state, reason, 0)
    }

    private mutating func begin(_ now: Timestamp) {
        (record.misses, wantsCheck) = (0, true)
        // Those who certify count what fails.
        record.dueAt = now + min(Self.daily, Self.soon * (1 << min(record.tries, 8)))
        record.tries += 1
    }

    /// The longer nothing has come, the longer until the next look.
    static func pause(_ age: Duration) -> Duration { max(.seconds(60), min(.seconds(6 * 3600), age / 4)) }
}
