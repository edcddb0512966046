import DriverKit
import Processes
import Testing

@testable import ZFSDriver

@Suite struct FailureTests {
    @Test(
        arguments: [
            ("cannot open 'tank/x': dataset does not exist", .notFound),
            ("cannot open 'tank/x': dataset does not exist\nusage:\n\tsnapshot [-r]\n\treadonly  YES", .notFound),
            ("could not find any snapshots to destroy; check snapshot names.", .notFound),
            ("cannot create 'tank/a/b': parent does not exist", .notFound),
            ("cannot create 'no/b': no such pool 'no'", .notFound),
            ("cannot create 'tank/x': dataset already exists", .conflict),
            (
                "cannot destroy 'tank/x': filesystem has children\nuse '-r' to destroy the following datasets:\ntank/x@s",
                .conflict
            ),
            ("cannot destroy 'tank/x@s': snapshot has dependent clones\nuse '-R' to destroy", .conflict),
            ("cannot destroy snapshot tank/x@s: snapshot is cloned", .conflict),
            ("cannot rollback to 'tank/x@s': more recent snapshots or bookmarks exist", .conflict),
            ("cannot rollback to 'tank/x@s': more recent snapshots exist", .conflict),
            ("cannot set property for 'tank/x': size is less than current used or reserved space", .conflict),
            ("cannot mount '/x': directory is not empty", .conflict),
            ("cannot destroy snapshot tank/x@s: it's being held. Run 'zfs holds -r tank/x@s' to see holders.", .busy),
            ("cannot destroy 'tank/x': dataset is busy", .busy),
            ("cannot unmount '/x': pool or dataset is busy", .busy),
            ("umount: /x: target is busy.\ncannot unmount '/x': umount failed: umount child process failed", .busy),
            ("cannot create 'tank/x': out of space", .outOfSpace),
            ("cannot create 'tank/x': permission denied", .permissionDenied),
            ("cannot set property for 'tank': pool is read-only", .permissionDenied),
            ("invalid option 'p'\nusage:\n\tlist", .unsupported),
            (
                "cannot receive: The loaded zfs module does not support this operation. A reboot may be required",
                .unsupported
            ),
            ("cannot open 'tank': pool I/O is currently suspended", .unavailable),
            (
                "The ZFS modules cannot be auto-loaded.\nTry running 'modprobe zfs' as root to manually load them.",
                .unavailable
            ),
            (
                "connect: No such file or directory\nPlease make sure that the zfs-fuse daemon is running.\ninternal error: failed to initialize ZFS library",
                .unavailable
            ),
            ("cannot set property for 'tank/x': bad numeric value 'bad'", .invalidArgument),
            (
                "bad property list: invalid property 'nosuch'\nusage:\n\tget\n\treadonly YES YES on | off",
                .invalidArgument
            ),
            ("cannot snapshot 'tank/x@': empty component in name", .invalidArgument),
            ("something never heard of", .failed),
            ("", .failed),
        ] as [(String, DriverErrorCode)])
    func `a message means what it means whatever the exit code`(_ message: String, _ code: DriverErrorCode) {
        for exit: Int32 in [1, 2, 255] {
            let error = ZFSFailure.error(message, .code(exit))
            #expect(error.code == code)
            #expect(error.cause?.contains(message.split(separator: "\n").first ?? "without a message") == true)
            #expect(error.cause?.contains("usage:") == false)
        }
    }

    @Test(arguments: ["readonly", "is busy", "out of space", "already exists", "invalid"])
    func `a dataset that is named like a message does not change the meaning`(_ name: String) {
        let error = ZFSFailure.error("cannot create 'tank/\(name)': something new", .code(1))
        #expect(error.code == .failed)
    }

    @Test func `what can be tried again is said`() {
        #expect(ZFSFailure.error("cannot destroy 'a': dataset is busy", .code(1)).retryable)
        #expect(ZFSFailure.error("cannot receive: signal received", .code(1)).retryable)
        #expect(!ZFSFailure.error("cannot create 'a/b': parent does not exist", .code(1)).retryable)
    }
}
