import WireProtocol

/// What a connection may say in which state, decided without I/O.
struct SessionRules: Sendable {
    enum State: Sendable, Hashable {
        /// TLS is up; `hello` must be next.
        case greeting
        /// `hello` is being judged; the peer must wait for `welcome`.
        case judging
        case open
        case closing
    }

    enum Verdict: Sendable, Equatable {
        case judge(Hello)
        case deliver(AgentMessage)
        /// A message type of a later version: noted in the log, nothing else.
        case ignore(type: String)
        /// The link is at its end: not even a line in the log.
        case drop
        /// The peer said goodbye.
        case ended(Goodbye)
        case refuse(Goodbye)
    }

    private(set) var state = State.greeting
    /// The node of the peer's certificate.
    let node: String

    init(node: String) { self.node = node }

    mutating func receive(_ message: AgentMessage) -> Verdict {
        switch (state, message) {
        case (.closing, _): return .drop
        case (_, .goodbye(let goodbye)):
            state = .closing
            return .ended(goodbye)
        case (.greeting, .hello(let hello)): return judge(hello)
        case (_, .unknown(let type)): return .ignore(type: type)
        case (.greeting, _): return refuse(.protocol, "the first line must be hello")
        case (.judging, _): return refuse(.protocol, "nothing may be sent between hello and welcome")
        case (.open, .hello), (.open, .enrol): return refuse(.protocol, "hello and enrol are not for an open session")
        case (.open, let message): return .deliver(message)
        }
    }

    mutating func admitted() { state = .open }

    mutating func refuse(_ code: GoodbyeCode, _ message: String, retry: Bool = true) -> Verdict {
        state = .closing
        return .refuse(Goodbye(code: code, message: message, retry: retry))
    }

    private mutating func judge(_ hello: Hello) -> Verdict {
        guard hello.protocol.contains(where: { ProtocolVersion.supported.contains($0) }) else {
            return refuse(
                .protocol, "this controller speaks protocol \(ProtocolVersion.supported), the agent \(hello.protocol)")
        }
        guard hello.node == node else {
            return refuse(
                .refused, "hello names node \(hello.node) but the certificate is that of \(node)", retry: false)
        }
        state = .judging
        return .judge(hello)
    }
}
