import DriverKit
import Logging
import Model
import NIOCore
import SQLite
import WireProtocol

extension ReportDesk {
    /// How long a round waits for slow drivers.
    private static let roundWait = Duration.seconds(2)

    /// Asks every driver for its metrics, all at once; one that still owes its last answer is left out.
    func sample() {
        // The round before is still waiting for someone: what came is reported now.
        if roundLimit != nil { closeRound() }
        round.begin()
        roundTime = .now()
        for index in drivers.indices where sampling.insert(index).inserted {
            let driver = drivers[index]
            var batch = round.batch(of: index)
            let time = roundTime
            Task.detached { [weak self] in
                await driver.sample(into: &batch)
                await self?.sampled(index, batch, time)
            }
        }
        guard roundLimit == nil else { return }
        roundLimit = outlet.loop.scheduleTask(in: TimeAmount(Self.roundWait)) { [weak self] in
            self?.assumeIsolated { $0.closeRound() }
        }
    }

    private func sampled(_ index: Int, _ batch: SampleBatch, _ time: Timestamp) {
        sampling.remove(index)
        // An answer to an earlier round is too late to be told with this one's time.
        guard time == roundTime, roundLimit != nil else { return }
        round.fill(index, batch)
        if round.isComplete { closeRound() }
    }

    private func closeRound() {
        roundLimit?.cancel()
        roundLimit = nil
        let (series, values) = round.close()
        guard values.contains(where: { $0 != nil }) else { return }
        let time = roundTime
        Task { await keep(series, values, time) }
    }

    private func keep(_ series: SeriesDefinition, _ values: [Double?], _ time: Timestamp) async {
        do throws(SQLiteError) {
            if !storedSets.contains(series.set) {
                var line: [UInt8] = []
                AgentMessage.series(series).encode(into: &line)
                try await spool.define(series.set, line)
                storedSets = [series.set]
            }
            let report = try await spool.append(.metrics, time: time) { seq in
                var line: [UInt8] = []
                let metrics = Metrics(seq: seq, time: time.milliseconds, set: series.set, values: values)
                AgentMessage.metrics(metrics).encode(into: &line)
                return line
            }
            guard cursors[.metrics]?.appended(report.seq) == true else { return }
            if toldSets.insert(series.set).inserted { outlet.send(.series(series)) }
            outlet.send(line: report.body)
        } catch { complain(error) }
    }

    func readUsage() async {
        var counters: [UsageCounter] = []
        for driver in drivers { counters += await driver.usage() }
        let news = usage.news(counters)
        guard !news.isEmpty else { return }
        let time = Timestamp.now()
        let wire = news.map {
            WireProtocol.Usage.Counter(subject: $0.subject, meter: $0.meter, epoch: $0.epoch, value: $0.value)
        }
        do throws(SQLiteError) {
            // A line holds some ten thousand readings; more go as several reports.
            for start in stride(from: 0, to: wire.count, by: 2000) {
                let part = Array(wire[start..<min(start + 2000, wire.count)])
                try await keep(.usage, time) { .usage(Usage(seq: $0, time: time.milliseconds, counters: part)) }
            }
            usage.kept(counters)
        } catch { complain(error) }
    }

    /// Takes the driver's events in their order, as many at a time as fit a bounded queue.
    func listen(to driver: any Driver) async {
        let name = type(of: driver).name
        let (events, feed) = AsyncStream.makeStream(of: DriverEvent.self, bufferingPolicy: .bufferingOldest(1024))
        let source = Task.detached { [logger] in
            await driver.events { event in
                if case .dropped = feed.yield(event) {
                    logger.warning("an event was dropped: they come faster than the disk takes them")
                }
            }
            feed.finish()
        }
        await withTaskCancellationHandler {
            for await event in events { await keep(event, of: name) }
        } onCancel: {
            source.cancel()
            feed.finish()
        }
    }

    private func keep(_ event: DriverEvent, of driver: String) async {
        do throws(SQLiteError) {
            try await keep(.events, event.time) {
                .event(
                    NodeEvent(
                        seq: $0, time: event.time.milliseconds, driver: driver, resource: event.resource,
                        kind: event.kind, data: event.data))
            }
        } catch { complain(error) }
        changed(driver)
    }

    private func keep(
        _ kind: ReportKind, _ time: Timestamp, _ make: @escaping @Sendable (Int64) -> AgentMessage
    ) async throws(SQLiteError) {
        let report = try await spool.append(kind, time: time) { seq in
            var line: [UInt8] = []
            make(seq).encode(into: &line)
            return line
        }
        if cursors[kind]?.appended(report.seq) == true { outlet.send(line: report.body) }
    }

    /// Looks at what a driver has and tells what changed; a look that is asked for during another follows it.
    func look(at index: Int) {
        guard outlet.isOpen else { return }
        guard looking.insert(index).inserted else {
            lookAgain.insert(index)
            return
        }
        let driver = drivers[index]
        Task.detached { [weak self] in
            let result: Result<[InventoryItem], DriverError>
            do throws(DriverError) { result = .success(try await driver.inventory()) } catch {
                result = .failure(error)
            }
            await self?.looked(at: index, result)
        }
    }

    private func looked(at index: Int, _ result: Result<[InventoryItem], DriverError>) {
        looking.remove(index)
        switch result {
        case .success(let items):
            guard outlet.isOpen else { break }
            for message in trackers[index].update(items) { outlet.send(.inventory(message)) }
        case .failure(let error):
            logger.warning(
                "no inventory", metadata: ["driver": "\(type(of: drivers[index]).name)", "error": "\(error)"])
        }
        if lookAgain.remove(index) != nil { look(at: index) }
    }
}
