import NIOCore
import Logging
import DriverKit
import Model
import SQL
import WireProtocol

extension CommandRunner {
    /// Commands in hand beyond which new ones are refused.
    private static let limit = 2048

    func receive(_ command: Command) {
        let digest = RequestDigest.of(command)
        send(lastWords.take(command.id, credit: Int(clamping: command.window)), of: command.id)
        if let work = inHand[command.id] { return repeated(command, digest, work) }
        if let result = untold.look(command.id) { return replay(result) }
        switch check(command) {
        case .failure(let refusal): refuse(command, digest, refusal.result)
        case .success(let spec): take(command, digest, spec)
        }
    }

    private struct Refusal: Error { let result: CommandResult }

    /// Everything that can be said without the journal.
    private func check(_ command: Command) -> Result<ActionSpec, Refusal> {
        let now = Timestamp.now()
        func refusal(_ code: CommandErrorCode, _ message: String, retryable: Bool = false) -> Result<
            ActionSpec, Refusal
        > {
            .failure(Refusal(result: command.refused(code, message, retryable: retryable, now: now)))
        }
        guard !isStopping else { return refusal(.shuttingDown, "the agent is about to end", retryable: true) }
        guard let driver = drivers[command.driver] else {
            if around.awaits(command.driver) {
                let message =
                    "the driver \(command.driver) is not ready on this node: what it drives is not all there yet"
                return refusal(.unavailable, message, retryable: true)
            }
            return refusal(.unknownDriver, "this node has no driver \(command.driver)")
        }
        guard let spec = driver.action(command.operation) else {
            return refusal(.unknownOperation, "the driver \(command.driver) has no action \(command.operation)")
        }
        let isGuarded = spec.isGuarded
        if let denial = around.policy.denial(of: command.fullOperation, on: command.resource, guarded: isGuarded) {
            audit(command, denial)
            return refusal(.policy, "the policy of this node does not allow \(command.fullOperation): \(denial)")
        }
        if let right = spec.resource(of: command), right != command.resource, spec.kind == .mutate {
            let message = "the arguments name \(right), but the command was given for \(command.resource)"
            return refusal(.invalidArgument, message)
        }
        do { _ = try spec.reading(command.call) } catch { return refusal(.invalidArgument, error.message) }
        guard !inHand.isFull(for: spec.standing), inHand.count < Self.limit else {
            return refusal(.overload, "too many commands wait on this node", retryable: true)
        }
        return .success(spec)
    }

    private func take(_ command: Command, _ digest: String, _ spec: ActionSpec) {
        let ticket = Lanes.Ticket(
            id: command.id, lane: command.resource, driver: command.driver, standing: spec.standing)
        let begins = inHand.enter(ticket)
        let work = Work(command, digest: digest, spec: spec, begins: begins, input: inputPipe(of: command.id))
        inHand[command.id] = work
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
        guard let work = inHand[id], case .admitting = work.phase else { return }
        inHand[id]?.phase = .waiting
        around.outlet.send(.accepted(Accepted(id: id, status: work.begins ? .running : .accepted, duplicate: false)))
        inHand[id]?.deadline = after(.milliseconds(work.command.deadlineMs)) { $0.stop(id, .deadline) }
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
        guard let work = inHand.remove(id) else { return }
        leaveLane(id)
        let now = Timestamp.now()
        switch admission {
        case .admitted: break
        case .known(let receipt): known(receipt)
        case .refused(.otherRequest): answer(otherRequest(work.command))
        case .refused(.stale(let last)):
            let message = "generation \(work.command.generation) of \(work.command.resource) is older than \(last)"
            var refusal = work.command.refused(.staleGeneration, message, now: now)
            refusal.observed["newest_generation"] = .integer(last)
            answer(refusal)
        case .refused(.ahead(let newest)):
            let message =
                "no controller can have given the generation \(work.command.generation) by this node's clock, at most \(newest): "
                + "one of the two clocks is wrong by more than half a day, or the order is nobody's who may give it"
            answer(work.command.refused(.invalidArgument, message, now: now))
        case .refused(.lostJournal):
            let message = "the command was first sent to a journal that this node has lost; it may have been done"
            answer(work.command.refused(.journalLost, message, now: now))
        }
    }

    /// The disk did not take the receipt. There may be an earlier one, which shared its fate with others on their way.
    func notAdmitted(_ id: String, _ error: SQLError) {
        guard let work = inHand.remove(id) else { return }
        leaveLane(id)
        let message = "the receipt could not be written, so nothing was started: \(error)"
        refuse(work.command, work.digest, work.command.refused(.journal, message, retryable: true, now: .now()))
    }
}
