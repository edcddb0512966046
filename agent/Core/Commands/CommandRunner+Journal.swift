import Logging
import Model
import SQL
import WireProtocol

extension CommandRunner {
    /// How long what must get on disk waits when that takes no writes.
    private static let secondTry = Duration.seconds(5)

    /// Puts a step in the queue for the disk.
    func write(_ step: JournalStep) {
        if queue.add(step) { Task { await writeSteps() } }
    }

    /// Takes whatever has come together as one transaction, again and again until nothing is left.
    private func writeSteps() async {
        while let batch = queue.next() {
            do throws(SQLError) {
                var admissions = try await around.journal.write(batch)[...]
                for step in batch { written(step, &admissions) }
            } catch {
                around.logger.error("the journal could not be written", metadata: ["error": "\(error)"])
                for step in batch { unwritten(step, error) }
                if error.isCorrupt { around.broken(error) }
            }
        }
        resumeIfIdle()
    }

    private func written(_ step: JournalStep, _ admissions: inout ArraySlice<Admission>) {
        switch step {
        case .admit(let request):
            guard let admission = admissions.popFirst() else { return }
            if admission == .admitted { admitted(request.id) } else { notAdmitted(request.id, admission) }
        case .begin(let id, _): run(id)
        case .finish(let id, let result): finished(id, result)
        case .acknowledge: break
        }
    }

    private func unwritten(_ step: JournalStep, _ error: SQLError) {
        switch step {
        case .admit(let request): notAdmitted(request.id, error)
        case .begin(let id, _):
            guard let work = inHand[id] else { return }
            leaveLane(id)
            finish(id, work.unwritable("\(error)", now: .now()))
        case .finish(let id, let result):
            // What was done was done: the controller hears of it now, and the disk as soon as it takes writes again.
            if inHand[id] != nil { around.outlet.send(.result(result)) }
            guard !isStopping else { return finished(id, result) }
            _ = after(Self.secondTry) { $0.write(.finish(id: id, result: result)) }
        case .acknowledge(let id, let time):
            // Nobody says it again in this session, however long that is.
            if queue.owe(id, at: time) { _ = after(Self.secondTry) { $0.acknowledgeAgain() } }
        }
    }

    private func acknowledgeAgain() {
        for step in queue.takeOwed() { write(step) }
    }

    func acknowledged(_ ids: [String]) {
        let time = Timestamp.now()
        let told = untold.acknowledged(ids)
        for id in ids where told.contains(id) || inHand[id] != nil {
            write(.acknowledge(id: id, time: time))
        }
    }

    /// The controller has not asked for these commands again: it does not want to hear what they said.
    func tellHeldResults() {
        let held = lastWords.forget()
        guard !held.isEmpty, around.outlet.isOpen else { return }
        for result in untold.looks where held.contains(result.id) { around.outlet.send(.result(result)) }
        Task { await resendResults() }
    }

    /// Sends every result that the controller has not stored, page by page.
    func resendResults() async {
        var last = ""
        while around.outlet.isOpen {
            guard let page = try? await around.journal.unacknowledged(after: last, limit: 64), !page.isEmpty else {
                return
            }
            for receipt in page {
                guard inHand[receipt.id] == nil, !lastWords.holds(receipt.id), var result = receipt.result else {
                    continue
                }
                result.replayed = true
                if around.outlet.send(.result(result)) { untold.tell(receipt.id) }
            }
            last = page[page.count - 1].id
        }
    }
}
