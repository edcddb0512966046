import AgentCore
import DriverKit
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

    @Test func `the standard policy allows what drivers do but nothing that is guarded`() {
        let policy = Policy.standard
        #expect(policy.denial(of: "docker.container.ensure", on: "docker/x") == nil)
        #expect(policy.denial(of: "docker.container.exec", on: "docker/x", guarded: true) != nil)
        #expect(policy.mayAllow("zfs.dataset.destroy"))
        #expect(!policy.mayAllow("docker.container.exec", guarded: true))
    }

    @Test(arguments: [
        ("*", false), ("docker.*", false), ("docker.container.*", false), ("docker.container.e*", false),
        ("docker.container.exec", true), ("*.exec", true), ("docker.*.exec", true), ("exec", false),
    ])
    func `what is guarded is allowed only by a rule that spells its last word`(pattern: String, allowed: Bool) {
        let policy = Policy(allow: [.init(operation: pattern), .init(operation: "*")], deny: [])
        #expect((policy.denial(of: "docker.container.exec", on: "docker/x", guarded: true) == nil) == allowed)
        #expect(policy.mayAllow("docker.container.exec", guarded: true) == allowed)
    }

    @Test func `a rule that names what is guarded may keep it to some resources`() throws {
        let policy = try read(
            #"{"allow":[{"operation":"*"},{"operation":"docker.container.exec","resource":"docker/lab-*"}]}"#)
        #expect(policy.denial(of: "docker.container.exec", on: "docker/lab-1", guarded: true) == nil)
        let denial = policy.denial(of: "docker.container.exec", on: "docker/shop", guarded: true)
        #expect(denial == "it can do anything, and no rule allows it by name")
    }

    @Test(arguments: [
        ("container.exec", true), ("exec.start", true), ("file.write", true), ("block.raw", true),
        ("container.execute", false), ("dataset.ensure", false),
    ])
    func `operations called exec, raw or write are guarded unless their driver says otherwise`(
        name: String, guarded: Bool
    ) {
        #expect(ActionSpec(name, .mutate, summary: "").isGuarded == guarded)
        #expect(ActionSpec(name, .mutate, summary: "", guarded: !guarded).isGuarded == !guarded)
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
        #expect(try read(#"{"deny":[]}"#) == .standard)
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
