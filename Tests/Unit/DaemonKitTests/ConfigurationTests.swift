import DaemonKit
import TestSupport
import Testing
import WireProtocol

@Suite struct `Configuration files` {
    private func read(_ text: String) -> String {
        do throws(ConfigurationError) {
            return try ConfigurationFile.parse(Array(text.utf8), named: "agent.json", keys: ["socket"]) {
                (fields) throws(FieldError) in try fields.string("socket")
            }
        } catch { return error.description }
    }

    @Test func `a good file gives its value`() {
        #expect(read(#"{"socket": "/run/x"}"#) == "/run/x")
    }

    @Test(arguments: [
        (#"{"socket": 1}"#, "agent.json: socket must be a string"),
        (#"{"sockets": "/run/x"}"#, "agent.json: sockets is not a known key"),
        (#"{}"#, "agent.json: socket is missing"),
        (#"[]"#, "agent.json: must be a JSON object"),
    ])
    func `what is wrong is named with the file and the key`(text: String, message: String) {
        #expect(read(text) == message)
    }

    @Test func `text that is not JSON names the file`() {
        #expect(read("{").hasPrefix("agent.json: "))
    }

    @Test func `a file that others may write is refused`() throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("agent.json")
        try AtomicFile.write(Array("{}".utf8), to: path, mode: 0o666)
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile.read(path, keys: []) { (_) throws(FieldError) in }
        }
        #expect(error?.message.contains("others may write it") == true)
    }
}
