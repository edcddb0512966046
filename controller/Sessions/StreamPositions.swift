import WireProtocol

/// How far the streams of one node's journal are stored. 0: nothing yet.
package struct StreamPositions: Sendable, Hashable {
    /// Names the agent's journal; a new journal counts from 1 again.
    package var epoch: String
    package var metrics: Int64
    package var usage: Int64
    package var events: Int64

    package init(epoch: String, metrics: Int64 = 0, usage: Int64 = 0, events: Int64 = 0) {
        self.epoch = epoch
        self.metrics = metrics
        self.usage = usage
        self.events = events
    }

    var wire: Positions { Positions(metrics: metrics, usage: usage, events: events) }

    var acknowledgement: Acknowledgement {
        Acknowledgement(results: [], metrics: metrics, usage: usage, events: events)
    }
}

/// The trackers of one node's three streams.
struct StreamTrackers: Sendable {
    let epoch: String
    private var metrics: PositionTracker
    private var usage: PositionTracker
    private var events: PositionTracker

    init(_ positions: StreamPositions) {
        epoch = positions.epoch
        metrics = PositionTracker(contiguous: positions.metrics)
        usage = PositionTracker(contiguous: positions.usage)
        events = PositionTracker(contiguous: positions.events)
    }

    /// False when the content is stored already.
    mutating func take(_ content: Ingest.Entry.Content) -> Bool {
        switch content {
        case .series, .inventory: true
        case .metrics(let message): metrics.take(message.seq)
        case .usage(let message): usage.take(message.seq)
        case .event(let message): events.take(message.seq)
        case .gap(let gap):
            switch gap.kind {
            case .metrics: metrics.take(gap.fromSeq...max(gap.fromSeq, gap.toSeq))
            case .events: events.take(gap.fromSeq...max(gap.fromSeq, gap.toSeq))
            case .unknown: false
            }
        }
    }

    var reached: StreamPositions {
        StreamPositions(
            epoch: epoch, metrics: metrics.contiguous, usage: usage.contiguous, events: events.contiguous)
    }
}
