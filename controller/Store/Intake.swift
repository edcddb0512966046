package import Model
package import WireProtocol

/// What one node sent, to be stored at once. Parts with sequence numbers that are stored already are passed over.
package struct Intake: Sendable {
    package var node: String
    /// When it came, by the controller's clock: what is dated later than its tolerance allows is brought back to it. Nil
    /// where the times are known to be right.
    package var receivedAt: Timestamp?
    /// The journal that the numbers count in. What comes late from one that the node has lost since is refused: its numbers
    /// mean others now. Nil stands for the present one.
    package var journal: String?
    package var series: [SeriesSet]
    package var samples: [SampleRow]
    package var usage: [UsageReport]
    package var events: [NodeEventReport]
    package var gaps: [GapReport]
    /// How far ahead the newest time in it was, when that was too far.
    var ahead: Duration?

    package init(
        node: String, receivedAt: Timestamp? = nil, journal: String? = nil, series: [SeriesSet] = [],
        samples: [SampleRow] = [],
        usage: [UsageReport] = [],
        events: [NodeEventReport] = [], gaps: [GapReport] = []
    ) {
        self.node = node
        self.receivedAt = receivedAt
        self.journal = journal
        self.series = series
        self.samples = samples
        self.usage = usage
        self.events = events
        self.gaps = gaps
    }
}

/// The names of a node's series in the order of their values, under a short name of the node's choice.
package struct SeriesSet: Sendable, Hashable {
    package var set: String
    package var names: [String]

    package init(set: String, names: [String]) {
        self.set = set
        self.names = names
    }
}

/// All samples of one node at one time; nil for a missing one.
package struct SampleRow: Sendable, Hashable {
    package var seq: Int64
    package var time: Timestamp
    package var set: String
    package var values: [Double?]

    package init(seq: Int64, time: Timestamp, set: String, values: [Double?]) {
        self.seq = seq
        self.time = time
        self.set = set
        self.values = values
    }
}

/// Usage counters of one node at one time.
package struct UsageReport: Sendable, Hashable {
    package struct Counter: Sendable, Hashable {
        package var subject: String
        package var meter: String
        package var epoch: String
        package var value: Int64

        package init(subject: String, meter: String, epoch: String, value: Int64) {
            self.subject = subject
            self.meter = meter
            self.epoch = epoch
            self.value = value
        }
    }

    package var seq: Int64
    package var time: Timestamp
    package var counters: [Counter]
    /// Further counters of the same number follow: it is stored only with the last of them.
    var isPartial = false

    package init(seq: Int64, time: Timestamp, counters: [Counter]) {
        self.seq = seq
        self.time = time
        self.counters = counters
    }
}

package struct NodeEventReport: Sendable, Hashable {
    package var seq: Int64
    package var time: Timestamp
    package var driver: String
    package var resource: String?
    package var kind: String
    package var data: JSONObject

    package init(seq: Int64, time: Timestamp, driver: String, resource: String?, kind: String, data: JSONObject) {
        self.seq = seq
        self.time = time
        self.driver = driver
        self.resource = resource
        self.kind = kind
        self.data = data
    }
}

/// Sequence numbers that will never come, because the node had to drop them.
package struct GapReport: Sendable, Hashable {
    package var stream: IntakeStream
    package var seqs: ClosedRange<Int64>
    package var from: Timestamp
    package var to: Timestamp
    package var reason: String

    package init(stream: IntakeStream, seqs: ClosedRange<Int64>, from: Timestamp, to: Timestamp, reason: String) {
        self.stream = stream
        self.seqs = seqs
        self.from = from
        self.to = to
        self.reason = reason
    }
}

/// The three numbered streams of a node.
package enum IntakeStream: String, Sendable, Hashable, CaseIterable { case metrics, usage, events }

/// What may be acknowledged: everything up to these numbers is stored. Nil while nothing of the stream has come.
package struct Positions: Sendable, Hashable {
    package var metrics: Int64?
    package var usage: Int64?
    package var events: Int64?

    package init(metrics: Int64? = nil, usage: Int64? = nil, events: Int64? = nil) {
        self.metrics = metrics
        self.usage = usage
        self.events = events
    }
}
