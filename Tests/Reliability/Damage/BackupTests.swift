import Glibc
import Model
import Processes
import Store
import TestSupport
import Testing

/// `backup` and `restore` of the command line.
@Suite(.timeLimit(.minutes(10))) struct BackupTests {
    @Test func `a backup of a running controller becomes a whole controller on another machine`() async throws {
        let folder = try await ControllerFolder()
        let file = folder.scratch.file("backup")
        let outcome = try await folder.attempt {
            let taken = try await folder.command("backup", [file])
            #expect(taken.succeeded, "\(taken.errorText)")
            #expect(taken.outputText.contains("checked"))
        }
        #expect(outcome == .runs)
        var status = stat()
        #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let again = try await folder.command("backup", [file])
        #expect(!again.succeeded && again.errorText.contains("already"))
        #expect(try await folder.command("backup", ["--force", file]).succeeded)

        let fresh = try await ControllerFolder(empty: true)
        let restored = try await fresh.command("restore", [file])
        #expect(restored.succeeded, "\(restored.errorText)")
        for name in ["ca.key", "ca.pem", "server.names", "tickets.key"] {
            #expect(try fresh.read(name) == folder.read(name), "\(name)")
        }
        #expect(try await fresh.attempt() == .runs)
        let store = try Store(path: "\(fresh.data)/controller.sqlite")
        #expect(try await store.service("svc_7")?.externalID == "ext-7")
        await store.close()
    }

    @Test func `a restore keeps what was there, and is refused while the controller runs`() async throws {
        let folder = try await ControllerFolder()
        let file = folder.scratch.file("backup")
        #expect(try await folder.command("backup", [file]).succeeded)
        let outcome = try await folder.attempt {
            let refused = try await folder.command("restore", [file])
            #expect(!refused.succeeded && refused.errorText.contains("is running on it"), "\(refused.errorText)")
        }
        #expect(outcome == .runs)
        let before = try folder.read("ca.key")
        folder.remove("ca.pem")
        let restored = try await folder.command("restore", [file])
        #expect(restored.succeeded, "\(restored.errorText)")
        let line = restored.outputText.split(separator: "\n").first { $0.hasPrefix("what was there is in ") }
        let aside = String((line ?? "").dropFirst("what was there is in ".count))
        #expect(access("\(aside)/controller.sqlite", F_OK) == 0 && access("\(aside)/ca.key", F_OK) == 0)
        #expect(try folder.read("ca.key") == before)
        #expect(try await folder.attempt() == .runs)
    }

    @Test func `a damaged backup, another file and a backup of a newer version are refused with nothing changed`()
        async throws
    {
        let folder = try await ControllerFolder()
        let file = folder.scratch.file("backup")
        #expect(try await folder.command("backup", [file]).succeeded)
        let (whole, before) = (try folder.scratch.read("backup"), try folder.files(logs: false))
        for harm in [
            Harm.flip(at: whole.count / 2, bit: 2), .cut(to: whole.count / 2), .cut(to: 0), .flip(at: 3, bit: 1),
        ] {
            try folder.scratch.write(harm(whole), to: "backup")
            let refused = try await folder.command("restore", [file])
            #expect(!refused.succeeded && refused.errorText.contains("backup"), "\(harm): \(refused.errorText)")
            #expect(try folder.files(logs: false) == before)
        }
        let plain = try await folder.command("restore", ["\(folder.data)/controller.sqlite"])
        #expect(!plain.succeeded && plain.errorText.contains("not a "), "\(plain.errorText)")
        #expect(try folder.files(logs: false) == before)
    }

    @Test func `on a full disk neither backup nor restore leaves anything behind`() async throws {
        let folder = try await ControllerFolder()
        let file = folder.scratch.file("backup")
        #expect(try await folder.command("backup", [file]).succeeded)
        let small = folder.scratch.file("small")
        mkdir(small, 0o700)
        let mounted = "mount -t tmpfs -o size=64k none \"$0\" && \"$@\"; code=$?; ls -A \"$0\"; exit $code"
        let launcher = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mounted, small]
        let taken = try await folder.command("backup", ["\(small)/b"], launcher: launcher)
        #expect(taken.exit == .code(1) && taken.outputText.isEmpty, "\(taken.outputText) \(taken.errorText)")
        #expect(taken.errorText.contains("full") || taken.errorText.contains("No space"), "\(taken.errorText)")

        // The folder of the controller, copied to a disk that has no room for a second store.
        let script = """
            size=$(du -sk "$0" | cut -f1); cp -a "$0" "$0.copy"
            mount -t tmpfs -o size=$((size + 40))k,mode=0700 none "$0" && cp -a "$0.copy/." "$0" || exit 9
            ls -A "$0" | grep -v lock >"$0.before"; "$@"; code=$?
            ls -A "$0" | grep -v lock | diff "$0.before" - && cmp "$0/ca.key" "$0.copy/ca.key" \
                && cmp "$0/controller.sqlite" "$0.copy/controller.sqlite" || exit 8
            exit $code
            """
        let full = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, folder.data]
        let restored = try await folder.command("restore", [file], launcher: full)
        #expect(restored.exit == .code(1), "\(restored.outputText) \(restored.errorText)")
        #expect(restored.errorText.contains("full") || restored.errorText.contains("No space"), "\(restored.errorText)")
        #expect(try await folder.attempt() == .runs)
    }
}
