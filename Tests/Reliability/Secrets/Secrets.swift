import Testing

/// Secrets stay where they belong.
@Suite(.serialized, .timeLimit(.minutes(20))) struct Secrets {}
