import DriverKit
import Testing

@testable import ProxmoxDriver

/// What the tools say, as it was recorded, and what it means.
@Suite struct FailureTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let message: String
        let code: DriverErrorCode
        let retryable: Bool
        var log = ""

        init(_ message: String, _ code: DriverErrorCode, retry: Bool = false, log: String = "") {
            (self.message, self.code, self.retryable, self.log) = (message, code, retry, log)
        }

        var testDescription: String { message }
    }

    static let rows = [
        Row("Configuration file 'nodes/pvelab/lxc/999.conf' does not exist", .notFound),
        Row("CT 101 already exists on node 'pvelab'", .conflict),
        Row("VM 101 already exists on node 'other'", .conflict),
        Row("CT is locked (backup)", .busy, retry: true),
        Row(
            "trying to acquire lock...\ncan't lock file '/run/lock/lxc/pve-config-101.lock' - got timeout", .busy,
            retry: true),
        Row("CT 101 already running", .conflict),
        Row("CT 101 not running", .conflict),
        Row("VM 101 not running", .conflict),
        Row("container '101' not running!", .conflict),
        Row("can only push files to a running CT", .conflict),
        Row("unable to destroy CT 101 - container is running", .conflict),
        Row("can't remove CT 101 - protection mode enabled", .conflict),
        Row("can't update CT 101 drive 'rootfs' - protection mode enabled", .conflict),
        Row("unable to remove CT 101 - used in HA resources and purge parameter not set.", .conflict),
        Row("There is a replication job '101-0' for guest '101' - Please remove that first.", .conflict),
        Row("cannot remove protected volume 'local:backup/vzdump-lxc-101-x.tar' on 'local'", .conflict),
        Row("cluster not ready - no quorum?", .unavailable, retry: true),
        Row(
            "unable to open file '/etc/pve/nodes/pvelab/lxc/101.conf.tmp.4711' - Permission denied", .unavailable,
            retry: true),
        Row(
            "ipcc_send_rec[1] failed: Connection refused\nUnable to load access control list: Connection refused",
            .unavailable, retry: true),
        Row("storage 'nope' does not exist", .notFound),
        Row("unable to create CT 101 - volume 'local:vztmpl/x.tar.zst' does not exist", .notFound),
        Row("unable to create CT 101 - can't find file '/x.tar.zst'", .notFound),
        Row(
            "unable to create CT 101 - command 'lxc-usernsexec -m u:0:1:6 -- tar xpf - --zstd '--xattrs-include=user.*' -C /var "
                + "--exclude './dev/*'' failed: exit code 2", .outOfSpace, log: "tar: ./a: No space left on device\n"),
        Row("unable to create CT 101 - command 'tar xpf - -C /var' failed: exit code 2", .failed),
        Row(
            "unable to create CT 101 - command 'tar xpf - -C /var' failed: received interrupt", .unknownOutcome,
            retry: true),
        Row(
            "unable to create CT 101 - command 'mkfs.ext4 -O mmp -E 'root_owner=100000:100000' /x.raw' failed: exit code 1",
            .outOfSpace, retry: true),
        Row("unable to create CT 101 - unable to create image: size must not be 0", .failed),
        Row("bridge 'vmbr9' does not exist", .notFound),
        Row("startup for container '101' failed", .failed),
        Row("volume 'local:101/vm-101-disk-0.raw' does not exist", .notFound),
        Row("you can't start a CT if it's a template", .conflict),
        Row("you can't convert a template to a template", .conflict),
        Row("unable to create template, because CT contains snapshots", .conflict),
        Row("you can't convert a CT to template if the CT is running", .conflict),
        Row("snapshot feature is not available", .unsupported),
        Row("snapshot name 'one' already used", .conflict),
        Row("snapshot 'one' does not exist", .notFound),
        Row("unable to use snapshot name 'current' (reserved name)", .invalidArgument),
        Row(
            "400 Parameter verification failed.\nsnapname: invalid format - invalid configuration ID 'x'",
            .invalidArgument),
        Row("can't rollback, 'one' is not most recent snapshot on 'labzfs:subvol-101-disk-0'", .conflict),
        Row("Full clone of a running container is only possible from a snapshot", .conflict),
        Row("Linked clone feature for 'local:101/vm-101-disk-0.raw' is not available", .unsupported),
        Row("clone failed: cannot mount subvol snapshots for storage type 'btrfs'", .failed),
        Row("unable to shrink disk size", .conflict),
        Row("disk is already at specified size", .conflict),
        Row("Failed to update the container's filesystem: command 'x' failed: exit code 1", .failed),
        Row("unable to delete required option 'memory'", .invalidArgument),
        Row("unable to modify read-only option: 'unprivileged'", .invalidArgument),
        Row("400 Parameter verification failed.\ndelete: unknown option 'x'", .unsupported),
        Row("no options specified", .invalidArgument),
        Row("detected modified configuration - file changed by other user? Try again.", .busy, retry: true),
        Row("container did not stop", .timedOut, retry: true),
        Row("got unexpected control message: ", .unknownOutcome, retry: true),
        Row("broken pipe ", .unknownOutcome, retry: true),
        Row("no lock found trying to remove any lock", .conflict),
        Row("failed to create file: /nope/x: No such file or directory", .failed),
        Row("failed to open /nope for reading: No such file or directory", .notFound),
        Row("failed to get uid for: nobody2", .invalidArgument),
        Row("no such cluster node 'x'", .notFound),
        Row("cannot move volumes of a running container", .conflict),
        Row("target is local node.", .conflict),
        Row("missing command at /usr/share/perl5/PVE/CLI/pct.pm line 246.", .invalidArgument),
        Row(
            "unable to activate storage 'gone' - directory is expected to be a mount point but is not mounted: '/mnt/nowhere'",
            .unavailable, retry: true),
        Row("storage 'nfs' is not online", .unavailable, retry: true),
        Row("storage 'old' is disabled", .unavailable),
        Row("storage 'b' is not available on node 'pve1'", .notFound),
        Row("storage 'iso' does not allow content type 'rootdir' (Container)", .unsupported),
        Row("cfs-lock 'file-user_cfg' error: pve cluster filesystem not online", .unavailable, retry: true),
        Row("cfs-lock 'storage-nfs' error: got lock request timeout", .busy, retry: true),
        Row("cfs-lock 'file-storage_cfg' error: no quorum!", .unavailable, retry: true),
        Row("zfs error: cannot destroy 'tank/subvol-101-disk-0': dataset is busy", .busy, retry: true),
        Row("command 'zfs get -Hp all' failed: got timeout", .timedOut, retry: true),
        Row("clone failed: Lost 'create' config lock, aborting.", .conflict),
        Row("clone failed: interrupted by signal", .unknownOutcome, retry: true),
        Row("clone failed: unable to activate storage 'gone' - not mounted: '/x'", .unavailable, retry: true),
        Row("unable to clone mountpoint 'mp0' (type bind)", .unsupported),
        Row(
            "400 Parameter verification failed.\nnet0: unable to hotplug net0: bridge 'vmbr9' does not exist", .notFound
        ),
        Row(
            "400 Parameter verification failed.\nnet0: unable to hotplug net0: interface vmbr9 does not exist",
            .notFound),
        Row(
            "400 Parameter verification failed.\nmp0: unable to hotplug mp0: failed to change apparmor profile: Invalid argument",
            .conflict),
        Row("unable to get PID for CT 802 (not running?)", .failed),
        Row("SSH public key validation error", .invalidArgument),
        Row("CT 101 is running - use 'restart' or 'online' to migrate it", .conflict),
        Row("can't acquire lock '/var/run/vzdump.lock' - got timeout", .busy, retry: true),
        Row(
            "ERROR: Backup of VM 101 failed - command 'tar cpf - ...' failed: exit code 2: No space left on device\njob errors",
            .outOfSpace, retry: true),
        Row(
            "unable to create CT 101 - command 'tar xpf -' failed: exit code 2", .failed,
            log: "tar: ./No space left on device/x: odd\n"),
        Row("something that nobody has seen before", .failed),
    ]

    @Test(arguments: rows) func `each message has its meaning and its answer to a retry`(_ row: Row) {
        let error = ProxmoxFailure.error(.pct, message: row.message, log: row.log)
        #expect(error.code == row.code)
        #expect(error.retryable == row.retryable)
        #expect(error.cause?.isEmpty == false)
    }

    @Test func `a name that reads like a message is not taken for one`() {
        let error = ProxmoxFailure.error(.pct, message: "snapshot 'cluster not ready - no quorum?' does not exist")
        #expect(error.code == .notFound)
    }

    @Test func `the loss of quorum in the middle says that something has changed`() {
        let message = "unable to open file '/etc/pve/nodes/a/lxc/101.conf.tmp.1' - Permission denied"
        #expect(ProxmoxFailure.error(.pct, message: message).changed)
    }

    @Test func `the reason is told from the end of the log and within bounds`() throws {
        let log = String(repeating: "tar: ./x: No space left on device\n", count: 11_000)
        let cause = try #require(ProxmoxFailure.error(.pct, message: "unable to create", log: log).cause)
        #expect(cause.utf8.count <= 600 && cause.contains("No space left"))
    }
}
