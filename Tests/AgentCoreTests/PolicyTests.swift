import AgentCore
import Testing
import WireProtocol

@Suite struct `The node's policy` {
    @Test(arguments: [
        ("*", "anything", true), ("", "", true), ("", "x", false), ("docker.*", "docker.container.ensure", true),
        ("docker.*", "docker", false), ("*.exec", "docker.container.exec", true), ("*.exec", "docker.exec.x", false),
        ("a*b*c", "a-b-b-c", true), ("a*b*c", "a-c-b", false), ("*a*", "bab", true), ("ab*ab", "ab", false),
        ("a**b", "ab", true), ("docker/svc-*", "docker/svc-1", true), ("docker/svc-*", "docker/other", false),
    ])
    func `a star stands for any run of characters`(pattern: String, name: String, fits: Bool) {
        #expect(NamePattern(pattern).matches(name) == fits)
    }

    @Test func `a pattern of many stars takes no more than linear time a piece`() {
        let pattern = NamePattern(String(repeating: "a*", count: 200) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 20_000)))
    }

    @Test func `the standard policy allows what drivers do but not a shell by another name`() {
        let policy = Policy.standard
        #expect(policy.denial(of: "docker.container.ensure", on: "docker/x") == nil)
        #expect(policy.denial(of: "docker.container.exec", on: "docker/x") != nil)
        #expect(policy.denial(of: "host.file.write", on: "host") != nil)
        #expect(policy.mayAllow("zfs.dataset.destroy"))
        #expect(!policy.mayAllow("docker.container.exec"))
    }

    @Test func `a rule that denies wins`() throws {
        let policy = try read(
            #"{"allow":[{"operation":"zfs.*"}],"deny":[{"operation":"zfs.dataset.destroy","resource":"zfs/tank/keep*"}]}"#
        )
        #expect(policy.denial(of: "zfs.dataset.destroy", on: "zfs/tank/other") == nil)
        let denial = policy.denial(of: "zfs.dataset.destroy", on: "zfs/tank/keep-this")
        #expect(denial == "denied by the rule zfs.dataset.destroy on zfs/tank/keep*")
        #expect(policy.denial(of: "docker.container.ensure", on: "docker/x") == "allowed by no rule")
        #expect(policy.mayAllow("zfs.dataset.destroy"))
    }

    @Test func `a list that is absent is the standard one, an empty one is empty`() throws {
        #expect(try read("{}") == .standard)
        #expect(try read(#"{"deny":[]}"#).denial(of: "docker.container.exec", on: "docker/x") == nil)
        #expect(try read(#"{"allow":[]}"#).denial(of: "docker.container.list", on: "docker/x") != nil)
    }

    @Test func `a wrong key in a rule is named with its place`() {
        let error = #expect(throws: FieldError.self) { try read(#"{"deny":[{"operation":"a","on":"b"}]}"#) }
        #expect(error?.description == "deny[0].on is not a known key")
    }

    private func read(_ text: String) throws -> Policy {
        try Policy(reading: JSONParser.parse(text).asObject ?? [:])
    }
}
