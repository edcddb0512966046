import DriverKit
import Logging
import Model
import SQL
import WireProtocol

extension CommandRunner {
    /// A refusal stands only when there is no receipt of an earlier delivery: then the receipt is the answer.
    func refuse(_ command: Command, _ digest: String, _ result: CommandResult) {
        Task {
            do throws(SQLError) {
                guard let receipt = try await around.journal.receipt(command.id) else { return answer(result) }
                if receipt.digest == digest { known(receipt) } else { answer(otherRequest(command)) }
            } catch {
                let message = "the journal cannot be read, so the command may have been done before: \(error)"
                answer(command.refused(.journalLost, message, now: .now()))
            }
        }
    }

    func known(_ receipt: Receipt) {
        guard let result = receipt.result ?? ReceiptRules.endAtStart(receipt, now: .now()) else { return }
        if receipt.result == nil { write(.finish(id: receipt.id, result: result)) }
        untold.tell(receipt.id)
        replay(result)
    }

    func repeated(_ command: Command, _ digest: String, _ work: Work) {
        guard work.digest == digest else { return answer(otherRequest(command)) }
        if case .ending(let result) = work.phase { return replay(result) }
        inHand[command.id]?.window.attach(credit: Int(clamping: command.window))
        // While the receipt is being written, its own `accepted` is still to come.
        if case .admitting = work.phase { return }
        around.outlet.send(.accepted(Accepted(id: command.id, status: work.status, duplicate: true)))
        if work.input.read > 0 { around.outlet.send(.consumed(Consumed(id: command.id, bytes: work.input.read))) }
        sendOutput(of: command.id)
    }

    func otherRequest(_ command: Command) -> CommandResult {
        command.refused(.digestMismatch, "the id \(command.id) stands for another command", now: .now())
    }

    func answer(_ result: CommandResult) { around.outlet.send(.result(result)) }

    func replay(_ result: CommandResult) {
        var result = result
        result.replayed = true
        answer(result)
    }

    func audit(_ command: Command, _ denial: String) {
        let record = AuditRecord(
            command: command.id, operation: command.fullOperation, resource: command.resource, denial: denial,
            trace: command.trace, by: command.by)
        Task {
            do { try await around.audit.write(record) } catch {
                around.logger.error("the audit log could not be written", metadata: ["error": "\(error)"])
            }
        }
    }
}
