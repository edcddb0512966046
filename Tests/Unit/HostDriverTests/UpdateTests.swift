import DriverKit
import HostDriver
import Testing
import WireProtocol

@Suite struct UpdateTests {
    static let simulation = """
        echo "$*" >>"$RECORD"
        echo "NOTE: This is only a simulation!"
        echo "Reading package lists..."
        echo "Inst libc6 [2.36-9+deb12u10] (2.36-9+deb12u13 Debian:12.12/oldstable, Debian-Security:12/oldstable-security [amd64]) []"
        echo "Inst linux-image-6.1.0-40-amd64 (6.1.153-1 Debian:12.12/oldstable [amd64])"
        echo "Conf libc6 (2.36-9+deb12u13 Debian:12.12/oldstable [amd64])"
        """

    @Test func `pending updates are told from the lists that apt has, without a change`() async throws {
        let folder = try ToolFolder(
            ["apt-get": Self.simulation], files: ["/var/lib/apt/periodic/update-success-stamp": ""])
        let observed = try await folder.perform("update.list")
        #expect(
            observed["updates"] == [
                [
                    "package": "libc6", "installed": "2.36-9+deb12u10", "available": "2.36-9+deb12u13",
                    "origin": "Debian:12.12/oldstable, Debian-Security:12/oldstable-security", "security": true,
                ],
                [
                    "package": "linux-image-6.1.0-40-amd64", "installed": nil, "available": "6.1.153-1",
                    "origin": "Debian:12.12/oldstable", "security": false,
                ],
            ])
        #expect(observed["security"] == 1)
        #expect(observed["lists_refreshed"]?.asInteger ?? 0 > 1_700_000_000_000)
        #expect(folder.record().hasPrefix("--simulate -o Debug::NoLocking=true"))
    }

    @Test func `this machine's apt answers`() async throws {
        let call = ActionCall(action: "update.list", resource: "host")
        let observed = try await HostDriver().perform(call, Collector().context).observed
        #expect(observed["updates"]?.asArray != nil)
    }

    @Test(arguments: [
        ("6.1.0-28-amd64", ["6.1.0-28-amd64", "6.1.0-9-amd64"], false, false),
        ("6.1.0-28-amd64", ["6.1.0-28-amd64", "6.1.0-31-amd64"], false, true),
        ("6.1.0-28-amd64", ["6.1.0-31-cloud-amd64", "6.1.0-31-rt-amd64"], false, true),
        ("6.8.12-4-pve", ["6.8.12-4-pve", "6.1.0-31-amd64", "6.8.4-2-pve"], false, false),
        ("6.8.12-4-pve", ["6.11.0-1-pve"], false, true), ("6.1.0-28-amd64", [], true, true),
        ("6.1.0-28-amd64", [], false, false),
    ])
    func `a restart is wanted for a marker or a newer kernel of the same kind`(
        running: String, installed: [String], isMarked: Bool, wanted: Bool
    ) async throws {
        var files = ["/proc/sys/kernel/osrelease": running]
        for release in installed { files["/boot/vmlinuz-\(release)"] = "" }
        if isMarked {
            files["/run/reboot-required"] = "*** System restart required ***\n"
            files["/run/reboot-required.pkgs"] = "linux-base\nlibc6\nlinux-base\n"
        }
        let observed = try await ToolFolder(files: files).perform("reboot.status")
        #expect(observed["required"] == .bool(wanted), "\(observed)")
        if isMarked { #expect(observed["packages"] == ["libc6", "linux-base"]) }
    }

    @Test func `versions are told of what is there, and what hangs is said`() async throws {
        let folder = try ToolFolder(
            [
                "docker": "echo 'Docker version 20.10.24'", "nginx": "echo 'nginx version: nginx/1.22.1' >&2",
                "zfs": "kill -KILL $$", "helm": "printf '\\377v3\\n'",
            ], files: ["/etc/os-release": "ID=debian\nVERSION_ID='12'  \nPRETTY_NAME=\"Debian \\\"12\\\"\"\n"])
        let observed = try await folder.perform("version.list")
        #expect(observed["system"] == ["id": "debian", "version": "12", "name": "Debian \"12\""])
        #expect(
            observed["tools"] == [
                "docker": ["version": "Docker version 20.10.24"], "helm": ["version": "\u{FFFD}v3"],
                "nginx": ["version": "nginx version: nginx/1.22.1"], "zfs": ["error": "zfs was killed by signal 9"],
            ])
    }
}
