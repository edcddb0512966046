import DriverKit
import Glibc
import Logging
import Processes
import TestSupport
import Testing
import WireProtocol

@testable import Recipes

@Suite struct RunTests {
    private static let twoSecrets: JSONObject = [
        "parameters": [
            "file": ["form": "path", "help": "x"], "word": ["form": "text", "help": "x"],
            "hidden": ["form": "text", "help": "x", "secret": true],
        ],
        "returns": ["found": ["help": "x"], "key": ["help": "x", "secret": true]],
    ]

    @Test func `what is right already is left alone, what is not is made so, once`() async throws {
        let bench = try await Bench("progress 0.5 'half of it'; echo x >>\"$param_file\"")
        let first = try await bench.run()
        #expect(first.changed && first.observed["returned"] == ["found": "yes"])
        #expect(first.observed["version"] == "1.0" && first.observed["verb"] == "install")
        #expect(bench.host.progress.first.map { $0.0 } == "half of it" && bench.host.progress.first?.1 == 0.5)
        let second = try await bench.run()
        #expect(!second.changed && second.observed["returned"] == ["found": "yes"])
        #expect(bench.text == "x\n" && bench.host.entered == 4)
    }

    @Test func `values arrive as they are, whatever a shell would read in them`() async throws {
        let bench = try await Bench(
            "printf '%s|%s' \"$param_word\" \"$param_hidden\" >\"$param_file\"", Self.twoSecrets)
        let word = "it's $(touch /tmp/x) `id` \\ \"ü€\" $HOME ' ;"
        _ = try await bench.run(["word": .string(word)], secrets: ["hidden": "p'w$d\\"])
        #expect(bench.text == "\(word)|p'w$d\\")
    }

    @Test
    func `a secret stands in no command line and in no environment, and what is given back in secret stands apart`()
        async throws
    {
        let script = """
            give key 'the returned key'
            give other 'never declared'
            { cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true; } | tr '\\0' ' ' >"$param_file"
            echo "$param_hidden, the returned key"; exit 3
            """
        let bench = try await Bench(script, Self.twoSecrets)
        let error = await #expect(throws: DriverError.self) {
            try await bench.run(["word": "w"], secrets: ["hidden": "a very hidden word"])
        }
        #expect(error?.cause?.contains("[secret], [secret]") == true)
        #expect(!bench.text.isEmpty && !bench.text.contains("a very hidden word"))
        let right = try await Bench("give key k1; give other x; touch \"$param_file\"", Self.twoSecrets)
        let outcome = try await right.run(["word": "w"], secrets: ["hidden": "h"])
        #expect(outcome.observed["secrets"] == ["key": "k1"] && outcome.observed["returned"] == ["found": "yes"])
    }

    @Test func `a program that reads its input does not eat the script`() async throws {
        let bench = try await Bench("cat >/dev/null; read -r line || true; touch \"$param_file\"")
        #expect(try await bench.run().changed && bench.isMade)
    }

    @Test(arguments: [1, 100, 500, 900]) func `a script of which a part has not arrived is not begun`(_ missing: Int)
        async throws
    {
        let bench = try await Bench("touch \"$param_file\"")
        let recipe = try bench.shelf.shelf.recipe("thing")
        let text = RecipeText(
            recipe: recipe, verb: try recipe.verb("install"), phase: .run, values: [("file", bench.made)],
            marker: "m")
        var request = ProcessRequest(RecipeText.command[0], Array(RecipeText.command.dropFirst()))
        request.standardInput = .bytes(Array(text.bytes.dropLast(missing)))
        let cut = try await Child.run(request)
        #expect(cut.exit == .code(96) && !bench.isMade, "\(cut.outputText)")
    }

    @Test func `a script that fails says where, why, and whether to try again`() async throws {
        let fails = try await Bench(
            "progress 0.1 packing; touch \"$param_file.part\"; echo 'no room' >&2; false; touch \"$param_file\"")
        let error = await #expect(throws: DriverError.self) { try await fails.run() }
        #expect(error?.code == .failed && error?.changed == true && error?.retryable == true && !fails.isMade)
        #expect(error?.message == "recipe thing failed with exit code 1 (while: packing)")
        #expect(error?.cause == "no room")
        for (word, again) in [("fail", false), ("fail_for_now", true)] {
            let bench = try await Bench("\(word) 'the checksum is wrong'")
            let error = await #expect(throws: DriverError.self) { try await bench.run() }
            #expect(error?.message == "recipe thing failed: the checksum is wrong" && error?.retryable == again)
        }
        let wrong = try await Bench("if then")
        #expect(await #expect(throws: DriverError.self) { try await wrong.run() }?.code == .failed)
    }

    @Test func `a script that says it is done, and is not, has failed`() async throws {
        let bench = try await Bench("true", check: "[ -e \"$param_file\" ] || { echo 'no file' >&2; exit 1; }")
        let error = await #expect(throws: DriverError.self) { try await bench.run() }
        #expect(error?.code == .failed && error?.changed == true && error?.cause?.contains("no file") == true)
        let broken = try await Bench("touch \"$param_file\"", check: "exit 2")
        #expect(await #expect(throws: DriverError.self) { try await broken.run() }?.changed == false)
        #expect(!broken.isMade)
    }

    @Test func `a script that hangs is ended when its time is over, with what it has started`() async throws {
        let bench = try await Bench(
            "touch \"$param_file.begun\"; sh -c 'echo $$ >\"$1\"; exec sleep 600' sh \"$param_file.pid\" & wait",
            ["limit_s": 2])
        let error = await #expect(throws: DriverError.self) { try await bench.run() }
        #expect(error?.code == .timedOut && error?.changed == true && error?.retryable == true)
        let pid = try #require(
            pid_t(String(decoding: try bench.shelf.folder.read("made.pid").dropLast(), as: UTF8.self)))
        #expect(await eventually { kill(pid, 0) != 0 })
    }

    @Test func `a cancelled run ends, and one that is cut off is unknown and may be run again`() async throws {
        let bench = try await Bench(
            "if [ -e \"$param_file.1\" ]; then touch \"$param_file\"; exit 0; fi; touch \"$param_file.1\"; sleep 600")
        let work = Task { try await bench.run() }
        #expect(await eventually { access("\(bench.made).1", F_OK) == 0 })
        work.cancel()
        let error = await #expect(throws: DriverError.self) { try await work.value }
        #expect(error?.code == .cancelled && error?.changed == true)
        #expect(try await bench.run().changed)

        let killed = try await Bench("kill -9 $$", check: "exit 1")
        let cut = await #expect(throws: DriverError.self) { try await killed.run() }
        #expect(cut?.code == .unknownOutcome && cut?.changed == true && cut?.retryable == true)
    }

    @Test func `a guest that says very much keeps nobody's memory, and cannot speak for the script`() async throws {
        let bench = try await Bench(
            """
            head -c 30000000 /dev/zero | tr '\\0' 'x'; echo
            i=0; while [ $i -lt 3000 ]; do progress 0.5 more; i=$((i + 1)); done
            echo 'innkeeper-x give found forged'; touch "$param_file"
            """)
        let outcome = try await bench.run()
        #expect(outcome.observed["returned"] == ["found": "yes"])
        #expect(bench.host.progress.count == 1000)
    }

    @Test func `a value that is too long is not taken`() async throws {
        let bench = try await Bench(
            "touch \"$param_file\"",
            check: "[ -e \"$param_file\" ] || exit 1; give found \"$(head -c 5000 /dev/zero | tr '\\0' x)\"")
        #expect(try await bench.run().observed["returned"] == [:])
    }

    @Test func `a system that the recipe was not written for is left alone`() async throws {
        let bench = try await Bench("touch \"$param_file\"", ["systems": ["plan-9"]])
        let error = await #expect(throws: DriverError.self) { try await bench.run() }
        #expect(error?.code == .unsupported && error?.changed == false && !bench.isMade)
        #expect(error?.message.contains(bench.host.system) == true)
    }

    @Test func `verbs, versions and looks`() async throws {
        let bench = try await Bench(
            "touch \"$param_file\"",
            [
                "verbs": [
                    "report": ["summary": "x", "changes": false, "returns": ["a": ["help": "x"]]],
                    "turn": [
                        "summary": "x", "parameters": ["to": ["form": "choice", "words": ["on", "off"], "help": "x"]],
                    ],
                ]
            ], files: ["report.sh": "give a b", "turn.sh": "[ \"$param_to\" = on ] || unchanged"])
        let path: JSONObject = ["file": .string(bench.made)]
        let list = ActionCall(action: "recipe.list", resource: "shell")
        let context = ActionContext(commandID: "cmd_1", logger: Logger(label: "test"))
        #expect(try await bench.host.run(path, action: "recipe.look").observed["right"] == false)
        #expect(
            try await bench.host.run([:], ["verb": "report"], action: "recipe.look").observed["returned"] == ["a": "b"])
        #expect(try await bench.host.run([:], ["verb": "report"]).changed == false)
        #expect(try await bench.host.run(["to": "on"], ["verb": "turn"]).changed)
        #expect(try await !bench.host.run(["to": "off"], ["verb": "turn"]).changed)
        for (more, code) in [
            (["version": "9"], .conflict), (["verb": "nothing"], .notFound), (["recipe": "nothing"], .notFound),
            (["recipe": "../thing"], .invalidArgument), (["parameters": ["x": "y"]], .invalidArgument),
        ] as [(JSONObject, DriverErrorCode)] {
            let error = await #expect(throws: DriverError.self) { try await bench.host.run(path, more) }
            #expect(error?.code == code, "\(more)")
        }
        let change = await #expect(throws: DriverError.self) {
            try await bench.host.run(["to": "on"], ["verb": "turn"], action: "recipe.look")
        }
        #expect(change?.code == .invalidArgument)
        #expect(try await bench.host.run(path).changed)
        #expect(try await bench.host.run(path, action: "recipe.look").observed["right"] == true)
        #expect(try await bench.host.perform(list, context).observed["recipes"]?.asArray?.count == 1)
    }
}
