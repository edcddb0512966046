import Testing
import WireProtocol

@testable import AgentCore

@Suite struct RedactionTests {
    private func redaction(_ secrets: JSONObject) -> Redaction {
        Redaction(
            of: Command(
                id: "c1", resource: "docker/x", generation: 1, driver: "docker", operation: "container.ensure",
                secrets: secrets, deadlineMs: 1000))
    }

    @Test func `every secret goes, wherever it stands and however deep it was`() {
        let redaction = redaction(["env": ["A": "first-secret", "B": "secret-two"], "list": ["third-one"]])
        let text = "first-secretsecret-two: bad third-one, first-secre"
        #expect(redaction.text(text) == "[secret][secret]: bad [secret], first-secre")
    }

    @Test func `a secret that holds another goes whole, and a short one is left alone`() {
        let redaction = redaction(["a": "password", "b": "my-password-long", "c": "on"])
        #expect(redaction.text("my-password-long password on") == "[secret] [secret] on")
    }

    @Test func `a result loses them in its error and in what was observed`() {
        let error = CommandError(
            code: .failed, message: "no such file: hunter2-hunter2", retryable: false, operation: "o", resource: "r",
            detail: "argument hunter2-hunter2")
        let result = CommandResult(
            id: "c1", status: .failed, changed: false,
            observed: ["hunter2-hunter2": ["x", ["deep": "=hunter2-hunter2"]], "number": 4], error: error, finished: 1)
        let told = redaction(["p": "hunter2-hunter2"]).result(result)
        #expect(!AgentMessage.result(told).line().description.isEmpty)
        let line = String(decoding: AgentMessage.result(told).line(), as: UTF8.self)
        #expect(!line.contains("hunter2") && line.contains("[secret]") && told.observed["number"] == 4)
    }

    @Test func `without secrets nothing changes`() {
        #expect(redaction([:]).text("as it is") == "as it is")
    }
}
