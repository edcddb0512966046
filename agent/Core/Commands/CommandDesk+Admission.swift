import NIOCore
import Logging
import DriverKit
import Model
import SQLite
import WireProtocol

extension CommandDesk {
    /// Commands in hand beyond which new ones are refused.
    private static let limit = 2048

    func receive(_ command: Command) {
        let digest = RequestDigest.of(command)
        if let work = works[command.id] { return repeated(command, digest, work) }
        if let result = observations.first(where: { $0.id == command.id }) { return replay(result) }
        switch check(command) {
        case .failure(let refusal): refuse(command, digest, refusal.result)
        case .success(let spec): take(command, digest, spec)
        }
    }

    private struct Refusal: Error { let result: CommandResult }

    /// Everything that can be said without the journal.
    private func check(_ command: Command) -> Result<OperationSpec, Refusal> {
        let now = Timestamp.now()
        func refusal(_ code: CommandErrorCode, _ message: String, retryable: Bool = false) -> Result<
            OperationSpec, Refusal
        > {
            .failure(Refusal(result: command.refused(code, message, retryable: retryable, now: now)))
        }
        guard !isStopping else { return refusal(.shuttingDown, "the agent is about to end", retryable: true) }
        guard let driver = around.drivers[command.driver] else {
            return refusal(.unknownDriver, "this node has no driver \(command.driver)")
        }
        guard let spec = driver.operation(command.operation) else {
            return refusal(.unknownOperation, "the driver \(command.driver) has no operation \(command.operation)")
        }
        if let denial = around.policy.denial(of: command.fullOperation, on: command.resource) {
            audit(command, denial)
            return refusal(.policy, "the policy of this node does not allow \(command.fullOperation): \(denial)")
        }
        guard !lanes.isFull, works.count < Self.limit else {
            return refusal(.overload, "too many commands wait on this node", retryable: true)
        }
        return .success(spec)
    }

    private func take(_ command: Command, _ digest: String, _ spec: OperationSpec) {
        let ticket = Lanes.Ticket(id: command.id, lane: command.resource, driver: command.driver)
        let begins = lanes.enter(ticket)
        let work = Work(command, digest: digest, spec: spec, begins: begins)
        works[command.id] = work
        guard work.mutates else { return admitted(command.id) }
        write(.admit(request(command, digest, begins: begins)))
    }

    private func request(_ command: Command, _ digest: String, begins: Bool) -> ReceiptRequest {
        ReceiptRequest(
            id: command.id, digest: digest, resource: command.resource, driver: command.driver,
            operation: command.operation, generation: command.generation,
            isFromLostJournal: command.journal.map { $0 != around.epoch } ?? false, begins: begins, time: .now())
    }

    /// The receipt is on disk (or none is needed): the agent answers for the command from here on.
    func admitted(_ id: String) {
        guard let work = works[id], case .admitting = work.phase else { return }
        works[id]?.phase = .waiting
        around.outlet.send(.accepted(Accepted(id: id, status: work.begins ? .running : .accepted, duplicate: false)))
        works[id]?.deadline = after(.milliseconds(work.command.deadlineMs)) { $0.stop(id, .deadline) }
        if let stop = work.stop {
            leaveLane(id)
            finish(id, work.neverBegan(stop, now: .now()))
        } else if work.begins {
            run(id)
        } else if work.hasLane {
            begin(id)
        }
    }

    /// The journal did not take the command, or had taken it before.
    func notAdmitted(_ id: String, _ admission: Admission) {
        guard let work = works.removeValue(forKey: id) else { return }
        leaveLane(id)
        let now = Timestamp.now()
        switch admission {
        case .admitted: break
        case .known(let receipt): known(receipt)
        case .refused(.otherRequest): answer(otherRequest(work.command))
        case .refused(.stale(let last)):
            let message = "generation \(work.command.generation) of \(work.command.resource) is older than \(last)"
            answer(work.command.refused(.staleGeneration, message, now: now))
        case .refused(.lostJournal):
            let message = "the command was first sent to a journal that this node has lost; it may have been done"
            answer(work.command.refused(.journalLost, message, now: now))
        }
    }

    /// The disk did not take the receipt.
    func notAdmitted(_ id: String, _ error: SQLiteError) {
        guard let work = works.removeValue(forKey: id) else { return }
        leaveLane(id)
        let message = "the receipt could not be written, so nothing was started: \(error)"
        answer(work.command.refused(.journal, message, retryable: true, now: .now()))
    }

    /// A refusal stands only when there is no receipt of an earlier delivery: then the receipt is the answer.
    private func refuse(_ command: Command, _ digest: String, _ result: CommandResult) {
        Task {
            let receipt = (try? await around.journal.receipt(command.id)) ?? nil
            guard let receipt else { return answer(result) }
            if receipt.digest == digest { known(receipt) } else { answer(otherRequest(command)) }
        }
    }

    private func known(_ receipt: Receipt) {
        guard let result = receipt.result ?? ReceiptRules.endAtStart(receipt, now: .now()) else { return }
        if receipt.result == nil { write(.finish(id: receipt.id, result: result)) }
        unacknowledged.insert(receipt.id)
        replay(result)
    }

    private func repeated(_ command: Command, _ digest: String, _ work: Work) {
        guard work.digest == digest else { return answer(otherRequest(command)) }
        if case .ending(let result) = work.phase { return replay(result) }
        works[command.id]?.window.attach(credit: Int(clamping: command.window))
        // While the receipt is being written, its own `accepted` is still to come.
        if case .admitting = work.phase { return }
        around.outlet.send(.accepted(Accepted(id: command.id, status: work.status, duplicate: true)))
        sendOutput(of: command.id)
    }

    private func otherRequest(_ command: Command) -> CommandResult {
        command.refused(.digestMismatch, "the id \(command.id) stands for another order", now: .now())
    }

    private func answer(_ result: CommandResult) { around.outlet.send(.result(result)) }

    private func replay(_ result: CommandResult) {
        var result = result
        result.replayed = true
        answer(result)
    }

    private func audit(_ command: Command, _ denial: String) {
        let record = AuditRecord(
            command: command.id, operation: command.fullOperation, resource: command.resource, denial: denial,
            trace: command.trace)
        Task {
            do { try await around.audit.write(record) } catch {
                around.logger.error("the audit log could not be written", metadata: ["error": "\(error)"])
            }
        }
    }
}
