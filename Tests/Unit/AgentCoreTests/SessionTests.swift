import AgentCore
import Testing
import WireProtocol

@Suite struct `The session` {
    private let start = ContinuousClock.now
    private let welcome = Welcome(session: "s1", settings: Settings(heartbeatMs: 5000), time: 0)

    private func handle(
        _ session: inout Session, _ event: Session.Event, at seconds: Double = 0, chance: Double = 0
    ) -> [Session.Action] {
        session.handle(event, now: start + .seconds(seconds), time: 0, chance: chance)
    }

    private func open(_ session: inout Session, at seconds: Double = 0) {
        _ = handle(&session, .start, at: seconds)
        _ = handle(&session, .secured, at: seconds)
        _ = handle(&session, .received(.welcome(welcome)), at: seconds)
    }

    private func goodbye(in actions: [Session.Action]) -> GoodbyeCode? {
        for case .send(.goodbye(let goodbye)) in actions { return goodbye.code }
        return nil
    }

    @Test func `it connects, greets and opens with the welcome`() {
        var session = Session()
        #expect(handle(&session, .start) == [.connect])
        #expect(handle(&session, .secured) == [.greet])
        #expect(handle(&session, .received(.welcome(welcome))) == [.opened(welcome)])
        #expect(session.isOpen)
        #expect(session.interval == .seconds(5))
    }

    @Test func `heartbeats count up, and three silent ones mean that the controller is gone`() {
        var session = Session()
        open(&session)
        #expect(handle(&session, .tick, at: 5) == [.send(.heartbeat(Heartbeat(seq: 1, time: 0)))])
        #expect(handle(&session, .received(.heartbeat(Heartbeat(seq: 1, time: 0))), at: 6) == [])
        #expect(handle(&session, .tick, at: 10) == [.send(.heartbeat(Heartbeat(seq: 2, time: 0)))])
        #expect(goodbye(in: handle(&session, .tick, at: 20.9)) == nil)
        #expect(goodbye(in: handle(&session, .tick, at: 21)) == .timeout)
        #expect(!session.isOpen)
    }

    @Test func `a controller that does not greet back is left`() {
        var session = Session()
        _ = handle(&session, .start)
        _ = handle(&session, .secured)
        #expect(handle(&session, .tick, at: 9) == [])
        #expect(goodbye(in: handle(&session, .tick, at: 10)) == .timeout)
    }

    @Test func `a version that nobody offered and messages out of turn end the session`() {
        var wrong = welcome
        wrong.protocol = 99
        let greeting: [ControllerMessage] = [.welcome(wrong), .cancel(Cancel(id: "c", reason: "r"))]
        for message in greeting {
            var session = Session()
            _ = handle(&session, .start)
            _ = handle(&session, .secured)
            #expect(goodbye(in: handle(&session, .received(message))) == .protocol)
        }
        var session = Session()
        open(&session)
        #expect(goodbye(in: handle(&session, .received(.welcome(welcome)))) == .protocol)
    }

    @Test func `waits grow from one second to sixty and never leave these bounds`() {
        var backoff = Backoff()
        let most = (0..<10).map { _ in backoff.next(chance: 0.999_999) }
        #expect(most.allSatisfy { $0 >= .seconds(1) && $0 <= .seconds(60) })
        #expect(most[0] < .seconds(2) && most[9] > .seconds(59))
        var least = Backoff()
        let shortest = (0..<10).map { _ in least.next(chance: 0) }
        #expect(shortest.allSatisfy { $0 == .seconds(1) })
    }

    @Test func `a good session starts the waits over, a short one does not`() {
        var session = Session()
        for _ in 0..<10 {
            _ = handle(&session, .start)
            _ = handle(&session, .closed, chance: 0.99)
        }
        open(&session, at: 100)
        guard case .retry(let long)? = handle(&session, .closed, at: 110, chance: 0.99).first else {
            Issue.record("no retry")
            return
        }
        #expect(long > .seconds(50))
        open(&session, at: 200)
        #expect(handle(&session, .closed, at: 231, chance: 0.99) == [.retry(after: .milliseconds(1990))])
    }

    @Test func `a goodbye without retry makes the next wait a long one, even after a good session`() {
        var session = Session()
        open(&session)
        let goodbye = Goodbye(code: .revoked, message: "no", retry: false)
        _ = handle(&session, .received(.goodbye(goodbye)), at: 100)
        guard case .retry(let wait)? = handle(&session, .closed, at: 100, chance: 0.99).first else {
            Issue.record("no retry")
            return
        }
        #expect(wait > .seconds(55))
    }

    @Test func `stopping says goodbye and does not dial again`() {
        var session = Session()
        open(&session)
        #expect(goodbye(in: handle(&session, .stop)) == .shutdown)
        #expect(handle(&session, .closed) == [])
        #expect(handle(&session, .start) == [])
    }

    @Test(arguments: [Int64.min, -1, 0, 1])
    func `no setting makes a tick without a pause or takes its own pause for silence`(milliseconds: Int64) {
        var settings = Settings()
        settings.heartbeatMs = milliseconds
        let onTheWire = ControllerMessage.reconfigure(settings).line().dropLast()
        #expect(((try? ControllerMessage(decoding: onTheWire)) != nil) == (milliseconds > 0))
        var session = Session(settings: settings)
        open(&session)
        _ = handle(&session, .received(.reconfigure(settings)))
        #expect(session.interval == .milliseconds(100))
        #expect(goodbye(in: handle(&session, .tick, at: 0.1)) == nil)
    }
}
