package import Model
package import WireProtocol

/// How far a command has come, as the disk knows it.
package enum ReceiptState: String, Sendable, Hashable, CaseIterable {
    /// On disk, waiting for its lane. Nothing has been done.
    case accepted
    /// Handed to the driver. From here on nobody but the driver knows how far it went.
    case running
    case succeeded, failed, cancelled, interrupted

    package var isFinal: Bool { self != .accepted && self != .running }
}

/// The agent's record of one command that may change something. It holds no arguments and no secrets.
package struct Receipt: Sendable, Hashable {
    package let id: String
    package let digest: String
    package let resource: String
    package let driver: String
    package let operation: String
    package let generation: Int64
    package var state: ReceiptState
    package let accepted: Timestamp
    package var started: Timestamp?
    /// What the controller is told, once the state is final.
    package var result: CommandResult?
    /// The controller has stored the result.
    package var acknowledged = false
}

extension Receipt {
    fileprivate func interrupted(
        _ code: CommandErrorCode, _ message: String, retryable: Bool, now: Timestamp
    ) -> CommandResult {
        let error = CommandError(
            code: code, message: message, retryable: retryable, operation: "\(driver).\(operation)", resource: resource)
        return CommandResult(
            id: id, status: .interrupted, changed: false, error: error, started: started?.milliseconds,
            finished: now.milliseconds)
    }
}

/// What is asked of the journal for a command that has passed every other check.
package struct ReceiptRequest: Sendable, Hashable {
    package let id: String
    package let digest: String
    package let resource: String
    package let driver: String
    package let operation: String
    package let generation: Int64
    /// The controller first sent it to a journal that this node has lost since.
    package let isFromLostJournal: Bool
    /// The lane is free: the receipt may be written as running at once.
    package let begins: Bool
    package let time: Timestamp
}

/// Whether a command gets a receipt.
package enum Admission: Sendable, Hashable {
    case admitted
    /// It has one already.
    case known(Receipt)
    case refused(AdmissionRefusal)
}

package enum AdmissionRefusal: Sendable, Hashable {
    /// The id stands for another command.
    case otherRequest
    /// A newer command for the resource was seen.
    case stale(lastGeneration: Int64)
    /// No controller can have given such a generation by now: whoever did would hold the resource for ever.
    case ahead(newest: Int64)
    /// The controller first sent it to a journal that is lost: it may have been done.
    case lostJournal
}

/// The rules of receipts, apart from the disk that keeps them.
package enum ReceiptRules {
    /// 2026, which a clock is behind that was never set.
    private static let earliest: Int64 = 1_767_225_600_000
    /// Seconds by which a controller's clock may be ahead of the node's. A resource that somebody brought so far is taken up
    /// again by the controller when they have passed.
    private static let difference: Int64 = 18 * 3600

    /// - Parameters:
    ///   - existing: the receipt that bears the command's id.
    ///   - lastGeneration: the newest generation seen for the resource. What no controller can have given by now is from the time
    ///     before such were refused, and holds nobody up.
    package static func admission(
        of request: ReceiptRequest, existing: Receipt?, lastGeneration: Int64?
    ) -> Admission {
        if let existing { return existing.digest == request.digest ? .known(existing) : .refused(.otherRequest) }
        if request.isFromLostJournal { return .refused(.lostJournal) }
        let newest = Command.newestGeneration(
            by: max(request.time.milliseconds, earliest), ahead: difference)
        if request.generation > newest { return .refused(.ahead(newest: newest)) }
        if let last = lastGeneration, last <= newest, request.generation < last {
            return .refused(.stale(lastGeneration: last))
        }
        return .admitted
    }

    /// What becomes of a receipt that the last process left unfinished; nil when it was finished.
    ///
    /// Neither kind is ever run again: what was running may have been done in part, and what was only accepted has lost
    /// its arguments with the process. The error tells the two apart.
    package static func endAtStart(_ receipt: Receipt, now: Timestamp) -> CommandResult? {
        switch receipt.state {
        case .accepted:
            let message = "the agent stopped before the command began; nothing was done"
            return receipt.interrupted(.notStarted, message, retryable: true, now: now)
        case .running:
            let message = "the agent stopped while the command ran; it may have been done in part"
            return receipt.interrupted(.interrupted, message, retryable: false, now: now)
        case .succeeded, .failed, .cancelled, .interrupted: return nil
        }
    }
}
