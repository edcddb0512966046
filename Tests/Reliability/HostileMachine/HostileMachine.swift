import Testing

/// The agent on a machine that does everything wrong: tools, engines and disks. Real daemons throughout.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct HostileMachine {}
