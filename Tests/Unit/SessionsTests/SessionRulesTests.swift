import Testing
import WireProtocol

@testable import Sessions

@Suite struct SessionRulesTests {
    private func hello(node: String = "web-1", versions: [Int64] = ProtocolVersion.supported) -> Hello {
        Hello(
            protocol: versions, agent: "0.1.0", node: node, boot: "b", started: 1, hostname: "web-1",
            os: OperatingSystem(name: "debian", version: "12", kernel: "6.1", arch: "x86_64"),
            spool: SpoolReport(epoch: "e1"))
    }

    private func code(_ verdict: SessionRules.Verdict) -> GoodbyeCode? {
        if case .refuse(let goodbye) = verdict { goodbye.code } else { nil }
    }

    @Test func `hello comes first and is judged`() {
        var rules = SessionRules(node: "web-1")
        let verdict1 = rules.receive(.hello(hello()))
        #expect(verdict1 == .judge(hello()))
        #expect(rules.state == .judging)
    }

    @Test func `anything before hello is refused`() {
        var rules = SessionRules(node: "web-1")
        let verdict2 = rules.receive(.heartbeat(Heartbeat(seq: 1, time: 1)))
        #expect(code(verdict2) == .protocol)
    }

    @Test func `anything between hello and welcome is refused`() {
        var rules = SessionRules(node: "web-1")
        _ = rules.receive(.hello(hello()))
        let verdict3 = rules.receive(.heartbeat(Heartbeat(seq: 1, time: 1)))
        #expect(code(verdict3) == .protocol)
    }

    @Test func `a hello for another node than the certificate's is refused for good`() {
        var rules = SessionRules(node: "web-1")
        guard case .refuse(let goodbye) = rules.receive(.hello(hello(node: "web-2"))) else {
            Issue.record("it was taken")
            return
        }
        #expect(goodbye.code == .refused)
        #expect(!goodbye.retry)
        #expect(goodbye.message.contains("web-2"))
    }

    @Test func `without a common version the agent is told both`() {
        var rules = SessionRules(node: "web-1")
        let verdict4 = rules.receive(.hello(hello(versions: [99])))
        #expect(code(verdict4) == .protocol)
    }

    @Test func `a second hello ends an open session`() {
        var rules = SessionRules(node: "web-1")
        _ = rules.receive(.hello(hello()))
        rules.admitted()
        let verdict5 = rules.receive(.hello(hello()))
        #expect(code(verdict5) == .protocol)
    }

    @Test func `unknown types are ignored in an open session`() {
        var rules = SessionRules(node: "web-1")
        _ = rules.receive(.hello(hello()))
        rules.admitted()
        let verdict6 = rules.receive(.unknown(type: "novelty"))
        #expect(verdict6 == .ignore(type: "novelty"))
    }

    @Test func `nothing is taken after goodbye`() {
        var rules = SessionRules(node: "web-1")
        _ = rules.receive(.hello(hello()))
        rules.admitted()
        _ = rules.receive(.goodbye(Goodbye(code: .shutdown, message: "bye", retry: true)))
        #expect(rules.state == .closing)
        let verdict7 = rules.receive(.heartbeat(Heartbeat(seq: 1, time: 1)))
        #expect(verdict7 == .drop)
    }
}
