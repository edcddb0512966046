import DriverKit
import Logging
import Model
import NIOCore
import SQL
import WireProtocol

extension Reporter {
    /// How long a round waits for slow drivers.
    private static let roundWait = Duration.seconds(2)

    /// Asks every driver for its metrics, all at once; one that still owes its last answer is left out.
    func sample() {
        let now = Timestamp.now()
        // A session that opens in the moment of a beat: two samples at one time would be one to whoever stores them by it.
        guard now != roundTime else { return }
        // The round before is still waiting for someone: what came is reported now.
        if roundLimit != nil { closeRound() }
        round.begin()
        roundTime = now
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
        // An answer that its round did not wait for is a sample of its own, with the time at which it was asked for.
        guard time == roundTime, roundLimit != nil else {
            let (series, values) = SampleRound.alone(batch)
            return tell(series, values, time)
        }
        round.fill(index, batch)
        if round.isComplete { closeRound() }
    }

    func closeRound() {
        roundLimit?.cancel()
        roundLimit = nil
        let (series, values) = round.close()
        tell(series, values, roundTime)
    }

    private func tell(_ series: SeriesDefinition, _ values: [Double?], _ time: Timestamp) {
        guard values.contains(where: { $0 != nil }) else { return }
        keeping = Task { [keeping] in
            await keeping?.value
            await keep(series, values, time)
        }
    }

    private func keep(_ series: SeriesDefinition, _ values: [Double?], _ time: Timestamp) async {
        do throws(SQLError) {
            let isNew = !storedSets.contains(series.set)
            let definition = isNew ? SpooledSeries(set: series.set, line: AgentMessage.series(series).bytes) : nil
            let report = try await spool.append(.metrics, time: time, defining: definition) { seq in
                AgentMessage.metrics(
                    Metrics(seq: seq, time: time.milliseconds, set: series.set, values: values)
                ).bytes
            }
            if isNew { storedSets = [series.set] }
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
        let readings = news.map {
            Usage.Counter(subject: $0.subject, meter: $0.meter, epoch: $0.epoch, value: $0.value)
        }
        do throws(SQLError) {
            let last = try await spool.append(usage: readings, time: .now())
            cursors[.usage]?.stored(through: last)
            usage.kept(counters)
        } catch { complain(error) }
        pump()
    }
}
