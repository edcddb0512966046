import Glibc
import HTTPFetch
import Processes
import SiteSupport
import TestSupport
import Testing

extension HostileMachine {
    /// Programs that end while a thread of theirs still uses libcrypto.
    @Suite struct EndingTests {
        /// What ends on its own, by each of its ways out.
        private static let ends: [(program: String, arguments: [String], code: Int32)] = [
            ("innctl", ["--version"], 0), ("innctl", ["no-such-command"], 2), ("innctl", ["node", "list"], 6),
            ("innkeeper-agent", ["--version"], 0), ("innkeeper-agent", ["run", "--data", "/nowhere"], 1),
            ("innkeeper-controller", ["--version"], 0),
            ("innkeeper-controller", ["serve", "--data", "/nowhere"], 1),
        ]

        @Test(arguments: ends)
        func `no program lets libcrypto clean up at its end`(
            _ program: String, _ arguments: [String], _ code: Int32
        ) async throws {
            let folder = try ScratchFolder("ending")
            let witness = try await Self.witness(in: folder)
            let outcome = try await Programs.run(
                program, arguments,
                environment: ["LD_PRELOAD": witness, "INNKEEPER_URL": "https://127.0.0.1:1", "INNKEEPER_KEY": "k"])
            #expect(outcome.exit == .code(code), "\(outcome.exit) \(outcome.errorText)")
            #expect(!outcome.errorText.contains("cleaned up"))
        }

        @Test func `the witness sees the clean-up of a program that has it`() async throws {
            let folder = try ScratchFolder("ending")
            let witness = try await Self.witness(in: folder)
            let outcome = try await Child.run(
                ProcessRequest("openssl", ["version"], environment: ["LD_PRELOAD": witness], deadline: .seconds(60)))
            #expect(outcome.errorText.contains("cleaned up"), "\(outcome.exit) \(outcome.errorText)")
        }

        @Test(.timeLimit(.minutes(30)))
        func `innctl ends in one way after answers over TLS`() async throws {
            let site = try await Installation("ending")
            try await site.open()
            let environment = [
                "INNKEEPER_URL": site.front.url, "INNKEEPER_KEY": site.front.key,
                "INNKEEPER_CA": site.folder.file("controller/ca.pem"),
            ]
            let rounds = Torture.choose(100, long: 3_000)
            try await withThrowingTaskGroup { group in
                for _ in 1...4 {
                    group.addTask {
                        for _ in 1...rounds / 4 {
                            let outcome = try await Programs.run(
                                "innctl", ["node", "list", "-o", "json"], environment: environment)
                            #expect(outcome.succeeded, "\(outcome.exit) \(outcome.errorText)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            await site.stop()
        }

        /// A library that says on standard error when libcrypto cleans up in the process that has loaded it.
        private static func witness(in folder: ScratchFolder) async throws -> String {
            let source = try folder.write(Array(witnessSource.utf8), to: "witness.c")
            try await BackgroundProgram.run(
                "clang", ["-Wall", "-shared", "-fPIC", "-o", folder.file("witness.so"), source, "-ldl"],
                log: folder.file("build.log"))
            return folder.file("witness.so")
        }

        private static let witnessSource = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <unistd.h>
            static void tell(void) { (void)!write(2, "cleaned up\\n", 11); }
            __attribute__((constructor)) static void begin(void) {
                int (*at_end)(void (*)(void)) = (int (*)(void (*)(void)))dlsym(RTLD_DEFAULT, "OPENSSL_atexit");
                if (at_end != NULL) at_end(tell);
            }
            """
    }
}
