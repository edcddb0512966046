import Model
import NIOCore
import SQL
import WireProtocol

extension Reporter {
    /// How long a session waits for a disk that does not work at its start.
    private static let secondTry = Duration.seconds(5)

    /// What the disk holds at the start of a session goes out behind what happens from now on.
    func openSession(_ stored: Positions, _ number: Int) async {
        do throws(SQLError) {
            for (kind, position) in stored.byKind { try await spool.forget(kind, through: position) }
            for gap in try await spool.untoldGaps(anew: true) { tell(gap) }
            for kind in ReportKind.allCases {
                let (first, following) = try await spool.extent(kind)
                guard outlet.isOpen else { return }
                cursors[kind]?.open(first: first, following: following)
            }
        } catch {
            complain(error)
            // A session that never opened its backlog would carry no reports to its end, however long that is.
            outlet.loop.scheduleTask(in: TimeAmount(Self.secondTry)) { [weak self] in
                self?.assumeIsolated { $0.reopen(stored, number) }
            }
        }
        pump()
    }

    private func reopen(_ stored: Positions, _ number: Int) {
        guard outlet.isOpen, number == sessions else { return }
        Task { await openSession(stored, number) }
    }

    func acknowledge(_ positions: Positions) {
        for (kind, position) in positions.byKind { cursors[kind]?.acknowledge(position) }
        Task {
            do throws(SQLError) {
                for (kind, position) in positions.byKind { try await spool.forget(kind, through: position) }
            } catch { complain(error) }
            pump()
        }
    }

    /// Sends pieces of the backlog as long as the controller takes them and stores them.
    func pump() {
        guard outlet.isOpen else { return }
        mustPump = true
        guard !isPumping else { return }
        isPumping = true
        Task {
            while mustPump {
                mustPump = false
                await pumpOnce()
            }
            isPumping = false
        }
    }

    private func pumpOnce() async {
        do throws(SQLError) {
            for gap in try await spool.untoldGaps(anew: false) { tell(gap) }
            for kind in [ReportKind.usage, .events, .metrics] { try await replay(kind) }
        } catch { complain(error) }
    }

    private func replay(_ kind: ReportKind) async throws(SQLError) {
        while outlet.isReady, let (range, limit) = cursors[kind]?.wanted() {
            let reports = try await spool.reports(kind, in: range, limit: limit)
            // The session may have ended, and another begun, while the disk was read.
            guard outlet.isOpen, cursors[kind]?.wanted()?.range.lowerBound == range.lowerBound else { continue }
            for report in reports { try await send(report) }
            cursors[kind]?.replayed(reports.map(\.seq), wholeTo: reports.count < limit ? range.upperBound : nil)
        }
    }

    private func send(_ report: SpooledReport) async throws(SQLError) {
        guard let message = try? AgentMessage(decoding: report.body) else { return }
        switch message {
        case .metrics(var metrics):
            (metrics.seq, metrics.replayed) = (report.seq, true)
            if !toldSets.contains(metrics.set) {
                // Names that are gone went with the report, which the spool dropped meanwhile.
                guard let line = try await spool.definition(metrics.set) else { return }
                toldSets.insert(metrics.set)
                outlet.send(line: line)
            }
            outlet.send(.metrics(metrics))
        case .usage(var usage):
            usage.seq = report.seq
            outlet.send(.usage(usage))
        case .event(var event):
            event.seq = report.seq
            outlet.send(.event(event))
        default: break
        }
    }

    private func tell(_ gap: SpoolGap) {
        let kind: GapKind
        switch gap.kind {
        case .metrics: kind = .metrics
        case .events: kind = .events
        // Usage is never dropped.
        case .usage: return
        }
        outlet.send(
            .gap(
                Gap(
                    kind: kind, fromSeq: gap.seqs.lowerBound, toSeq: gap.seqs.upperBound,
                    from: gap.times.lowerBound.milliseconds, to: gap.times.upperBound.milliseconds, reason: gap.reason))
        )
    }
}

extension Positions {
    fileprivate var byKind: [(ReportKind, Int64)] {
        let all: [(ReportKind, Int64?)] = [(.metrics, metrics), (.usage, usage), (.events, events)]
        return all.compactMap { kind, position in position.map { (kind, $0) } }
    }
}
