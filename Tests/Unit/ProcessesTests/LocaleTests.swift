import Glibc
import Processes
import Testing

/// By which locale children decode what they get, and in which language they answer.
@Suite struct LocaleTests {
    static let word = "ü€ 猫"

    @Test func `the locale of a child is UTF-8 in the words of C, and the system has it`() async throws {
        #expect(try await Child.run(ProcessRequest("locale", ["charmap"])).outputText == "UTF-8\n")
        let all = try await Child.run(ProcessRequest("locale"))
        #expect(all.errorText == "" && all.outputText.contains("LC_MESSAGES=C\n"))
    }

    /// Programs that decode their words as the tools do that are written in the same language.
    @Test(arguments: [
        // pct, pvesm and their like.
        (
            "perl",
            ["-MI18N::Langinfo=langinfo,CODESET", "-MEncode", "-e", "print length(decode(langinfo(CODESET), shift))"]
        ),
        // docker-compose.
        (
            "python3",
            ["-c", "import locale,os,sys; print(len(os.fsencode(sys.argv[1]).decode(locale.getencoding())), end='')"]
        ),
        ("bash", ["-c", "printf %s ${#1}", "bash"]),
    ])
    func `a character beyond ASCII is one character`(program: String, words: [String]) async throws {
        let outcome = try await Child.run(ProcessRequest(program, words + [Self.word]))
        #expect(outcome.outputText == "4" && outcome.errorText == "")
    }

    @Test func `words, input and output arrive byte by byte, whether they are UTF-8 or not`() async throws {
        let outcome = try await Child.run(ProcessRequest("printf", ["%s", Self.word]))
        #expect(outcome.outputText == Self.word)
        let bytes: [UInt8] = [0xFF, 0xC3, 0x00, 0xE4, 0x0A]
        #expect(try await Child.run(ProcessRequest("cat", standardInput: .bytes(bytes))).stdout == bytes)
    }
}
