import DriverKit
import Glibc
import TestSupport
import Testing

/// What of a node is never shown.
@Suite struct PlaceTests {
    static let table = MountTable(
        """
        21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        30 21 0:30 / /tank rw shared:2 - zfs tank rw,xattr
        31 30 0:31 / /tank/innkeeper rw - zfs tank/innkeeper rw
        32 31 0:32 / /tank/innkeeper/a\\040b rw - fuse.zfs tank/innkeeper/a\\040b rw
        40 21 8:1 /srv/keys /mnt/copy rw - ext4 /dev/sda1 rw
        41 21 0:41 /inner /var/lib/innkeeper rw - zfs tank/own rw
        a line that is none

        """)

    @Test func `mounts are told with what is behind them`() {
        #expect(Self.table.mounts.count == 6)
        #expect(Self.table.mount(of: "/tank/innkeeper/a b/x")?.dataset == "tank/innkeeper/a b")
        #expect(Self.table.mount(of: "/tankard")?.point == "/")
        #expect(Self.table.mount(of: "/tank")?.dataset == "tank" && Self.table.mount(of: "/etc")?.dataset == nil)
        #expect(Self.table.mounts(below: "/tank").map(\.point) == ["/tank/innkeeper", "/tank/innkeeper/a b"])
        #expect(Self.table.spot(of: "/mnt/copy/one")?.path == "/srv/keys/one")
        #expect(Self.table.spot(of: "/")?.path == "/")
        #expect(MountTable.now().mount(of: "/proc/self")?.kind == "proc")
    }

    @Test(arguments: [
        "/", "/etc", "/etc/innkeeper", "/etc/innkeeper/agent.json", "/var", "/var/lib",
        "/var/lib/innkeeper/agent/journal",
        "/proc/1/root", "/dev/sda", "/root", "/root/.ssh/authorized_keys", "/run", "/run/docker.sock", "/home",
        "/srv/keys", "/srv", "/mnt/copy", "/mnt/copy/node.key", "/mnt",
    ])
    func `what the agent keeps is closed, with all above it and by each of its mounts`(path: String) {
        let closed = ClosedPlaces(own: ["/srv/keys/node.key"])
        #expect(closed.trespass(of: path, Self.table) != nil)
    }

    @Test(arguments: [
        "/tank", "/tank/innkeeper/a b", "/home/alice", "/srv/www", "/opt", "/mnt/other", "/root/innkeeper",
    ])
    func `all else is not`(path: String) {
        #expect(ClosedPlaces(own: ["/srv/keys/node.key"]).trespass(of: path, Self.table) == nil)
    }

    @Test func `a data folder is known by what is in it, wherever it lies`() throws {
        let folder = try ScratchFolder("data")
        #expect(mkdir(folder.file("controller"), 0o700) == 0 && mkdir(folder.file("other"), 0o700) == 0)
        for name in ["controller.sqlite", "ca.pem"] { try folder.write([], to: "controller/\(name)") }
        // Something of the same name is not enough.
        try folder.write([], to: "other/journal.sqlite")
        let closed = ClosedPlaces()
        #expect(closed.trespass(of: folder.file("controller")) == folder.file("controller"))
        #expect(closed.trespass(of: folder.file("controller/ca.pem")) == folder.file("controller"))
        #expect(closed.trespass(of: folder.path) == folder.file("controller"))
        #expect(closed.trespass(of: folder.file("other")) == nil)
    }

    @Test func `a running daemon's folders are closed, wherever they lie`() async throws {
        let folder = try ScratchFolder("daemon")
        #expect(mkdir(folder.file("somewhere"), 0o700) == 0)
        // A shell with the words of a daemon, which waits for the end of its input.
        var pid = pid_t()
        let line = ["innkeeper-controller", "-c", "read x", "--data", folder.file("somewhere")]
        var words: [UnsafeMutablePointer<CChar>?] = line.map { (word: String) in strdup(word) } + [nil]
        var pipes: [Int32] = [0, 0]
        #expect(pipe(&pipes) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, pipes[0], 0)
        posix_spawn_file_actions_addclose(&actions, pipes[1])
        #expect(posix_spawn(&pid, "/bin/sh", &actions, nil, &words, nil) == 0)
        posix_spawn_file_actions_destroy(&actions)
        defer { for word in words { free(word) } }
        // The kernel tells a program's words a moment after it has begun.
        let place = folder.file("somewhere")
        #expect(await eventually { ClosedPlaces().trespass(of: place) == place })
        close(pipes[1])
        close(pipes[0])
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        #expect(ClosedPlaces().trespass(of: folder.file("somewhere")) == nil)
    }

    @Test func `a path is followed as far as it is there`() throws {
        let folder = try ScratchFolder("real")
        #expect(symlink("/usr", folder.file("link")) == 0 && symlink("/nowhere/at/all", folder.file("dead")) == 0)
        #expect(NodePath.real(folder.file("link/share/none/x")) == "/usr/share/none/x")
        #expect(NodePath.real(folder.file("dead")) == nil && NodePath.real(folder.file("dead/x")) == nil)
        #expect(NodePath.real(folder.file("not/there")) == folder.file("not/there"))
        #expect("/a/b".lies(in: "/a") && "/a".lies(in: "/a") && !"/ab".lies(in: "/a") && "/a".lies(below: "/"))
    }
}
