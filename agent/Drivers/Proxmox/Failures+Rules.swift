import DriverKit

extension ProxmoxFailure {
    /// In order: the first that fits decides.
    static let rules: [Rule] =
        interruptionRules + clusterRules + lockRules + storageRules + networkRules + creationRules + cloneRules
        + snapshotRules + stateRules + callerRules
    /// A lock in the configuration, of something that lives or has died: the message does not tell.
    static let isLocked = "another operation works on the container, or has died and left its lock"

    private static let interruptionRules = [
        Rule(quoted: "received interrupt", is: .unknownOutcome, means: "the command was interrupted", retryable: true),
        Rule("interrupted by signal", is: .unknownOutcome, means: "the command was interrupted", retryable: true),
        Rule(quoted: "broken pipe", is: .unknownOutcome, means: "the command lost its reader", retryable: true),
        Rule(
            "got unexpected control message", is: .unknownOutcome, means: "the command was interrupted", retryable: true
        ),
    ]

    private static let clusterRules = [
        Rule("ipcc_send_rec", is: .unavailable, means: "the cluster's file system does not run"),
        Rule("unable to load access control list", is: .unavailable, means: "the cluster's file system does not run"),
        Rule("pve cluster filesystem not online", is: .unavailable, means: "the cluster's file system does not run"),
        Rule("cluster not ready", is: .unavailable, means: "the cluster has no quorum"),
        Rule("no quorum", is: .unavailable, means: "the cluster has no quorum"),
        Rule(
            "unable to open file", "permission denied", quoted: ".conf.tmp.", is: .unavailable,
            means: "the cluster lost its quorum meanwhile: disks may be gone although the container is still listed",
            changed: true),
        Rule("got lock request timeout", is: .busy, means: "the cluster's lock is held"),
        Rule("no such cluster node", is: .notFound, means: "there is no such node in the cluster"),
        Rule("target is local node", is: .conflict, means: "it is on that node already"),
        Rule("cannot move volumes of a running container", is: .conflict, means: "the container runs"),
        Rule("already defined", is: .conflict, means: "the HA manager has it already"),
        Rule("not ha managed", is: .notFound, means: "the HA manager does not have it"),
        Rule("does not exist in cluster", is: .notFound, means: "there is no such container in the cluster"),
        Rule("in error state", is: .conflict, means: "the HA manager holds it in the error state"),
    ]

    private static let lockRules = [
        Rule("can't lock file", "got timeout", is: .busy, means: "another command holds the container's lock"),
        Rule("ct is locked", is: .busy, means: isLocked),
        Rule("can't acquire lock", is: .busy, means: "another backup runs on the node"),
        Rule("got lock timeout", is: .busy, means: "another command works on the storage"),
        Rule("no lock found trying to remove any lock", is: .conflict, means: "the container is not locked"),
        Rule("detected modified configuration", is: .busy, means: "somebody else changed the configuration"),
        Rule("failed to obtain guest migration lock", is: .busy, means: "a replication runs"),
    ]

    private static let storageRules = [
        Rule("unable to activate storage", is: .unavailable, means: "a storage is not active"),
        Rule("storage", "is not online", is: .unavailable, means: "a storage is not online"),
        Rule("storage", "is disabled", is: .unavailable, means: "a storage is switched off", retryable: false),
        Rule("storage", "is not available on node", is: .notFound, means: "this node does not have that storage"),
        Rule(
            "storage", "does not allow content type", is: .unsupported, means: "that storage is not for containers"),
        Rule("no space left on device", is: .outOfSpace, means: "the storage is full"),
        Rule("disk quota exceeded", is: .outOfSpace, means: "the storage is full"),
        Rule("not enough free space", is: .outOfSpace, means: "the storage is full"),
        Rule("insufficient free space", is: .outOfSpace, means: "the storage is full"),
        Rule("out of space", is: .outOfSpace, means: "the storage is full"),
        Rule("dataset is busy", is: .busy, means: "something still uses the volume"),
        Rule("device or resource busy", is: .busy, means: "something still uses the volume"),
        Rule("target is busy", is: .busy, means: "something still uses the volume"),
        Rule("failed: got timeout", is: .timedOut, means: "a command of the storage did not end in time"),
    ]

    private static let networkRules = [
        Rule("bridge", "does not exist", is: .notFound, means: "there is no such bridge on this node"),
        Rule(
            "unable to hotplug", "interface", "does not exist", is: .notFound,
            means: "there is no such bridge on this node"),
        Rule("unable to hotplug", is: .conflict, means: "the container does not take the change while it runs"),
    ]

    private static let creationRules = [
        Rule("already exists on node", is: .conflict, means: "the id is taken in the cluster"),
        Rule("configuration file", "does not exist", is: .notFound, means: "there is no such container on this node"),
        Rule(
            "unable to create ct", quoted: "tar xpf", is: .failed,
            means: "the template could not be unpacked: is the volume large enough?"),
        Rule(
            "unable to create ct", quoted: "mkfs.", is: .outOfSpace, means: "no file system fits: the storage is full"),
        Rule("unable to create ct", "unable to create image", is: .failed, means: "no volume could be made"),
        Rule("unable to create ct", "volume", "does not exist", is: .notFound, means: "there is no such template"),
        Rule("unable to create ct", "can't find file", is: .notFound, means: "there is no such template"),
        Rule("storage", "does not exist", is: .notFound, means: "there is no such storage"),
        Rule("ssh public key validation error", is: .invalidArgument, means: "a public key is none"),
    ]

    private static let cloneRules = [
        Rule(
            "full clone of a running container", is: .conflict,
            means: "a running container is cloned from a snapshot only"),
        Rule("linked clone feature", "not available", is: .unsupported, means: "this storage makes no linked clones"),
        Rule(
            "config lock, aborting", is: .conflict, means: "somebody took the lock of the copy away while it was made"),
        Rule("unable to clone mountpoint", is: .unsupported, means: "a folder of the node cannot be cloned"),
        Rule("not allowed for linked clones", is: .invalidArgument, means: "a linked clone stays on its storage"),
        Rule("unexpected state change", is: .busy, means: "the container was started or stopped meanwhile"),
        Rule("clone failed", is: .failed, means: "the container could not be cloned"),
    ]

    private static let snapshotRules = [
        Rule("snapshot feature is not available", is: .unsupported, means: "this storage makes no snapshots"),
        Rule("snapshot name", "already used", is: .conflict, means: "there is a snapshot of that name"),
        Rule("snapshot", "does not exist", is: .notFound, means: "there is no such snapshot"),
        Rule("reserved name", is: .invalidArgument, means: "the name of the snapshot is reserved"),
        Rule("invalid configuration id", is: .invalidArgument, means: "that is no name of a snapshot"),
        Rule("is not most recent snapshot", is: .conflict, means: "there are newer snapshots"),
    ]

    private static let stateRules = [
        Rule("unable to get pid for ct", is: .failed, means: "the container ended as soon as it had started"),
        Rule("already running", is: .conflict, means: "the container runs already"),
        Rule("not running", is: .conflict, means: "the container does not run"),
        Rule("can only push files to a running ct", is: .conflict, means: "the container does not run"),
        Rule("container is running", is: .conflict, means: "the container runs"),
        Rule("is running - use", is: .conflict, means: "the container runs"),
        Rule("can't connect to destination", is: .unavailable, means: "the other node cannot be reached"),
        Rule("cannot remove protected volume", is: .conflict, means: "the backup is protected"),
        Rule("protection mode enabled", is: .conflict, means: "the container is protected"),
        Rule("used in ha resources", is: .conflict, means: "the HA manager looks after the container"),
        Rule("there is a replication job", is: .conflict, means: "the container is replicated"),
        Rule("startup for container", "failed", is: .failed, means: "the container does not start"),
        Rule("volume", "does not exist", is: .notFound, means: "a volume of the container is gone"),
        Rule("container did not stop", is: .timedOut, means: "the container did not stop in time"),
        Rule("can't start a ct if it's a template", is: .conflict, means: "a template does not run"),
        Rule("can't convert a template to a template", is: .conflict, means: "it is a template already"),
        Rule("because ct contains snapshots", is: .conflict, means: "the container has snapshots"),
        Rule("to template if the ct is running", is: .conflict, means: "the container runs"),
        Rule("unable to shrink disk size", is: .conflict, means: "a disk is never made smaller"),
        Rule("disk is already at specified size", is: .conflict, means: "the disk has that size already"),
        Rule(
            "failed to update the container's filesystem", is: .failed,
            means: "the volume has grown, its file system has not"),
        Rule("failed to create file", is: .failed, means: "the file could not be written in the container"),
        Rule("failed to open", is: .notFound, means: "the file could not be opened"),
        Rule("failed to get uid for", is: .invalidArgument, means: "there is no such user in the container"),
    ]

    private static let callerRules = [
        Rule("unable to delete required option", is: .invalidArgument, means: "the option cannot be removed"),
        Rule("unable to modify read-only option", is: .invalidArgument, means: "the option cannot be changed"),
        Rule("unknown option", is: .unsupported, means: "this version of Proxmox VE does not know that option"),
        Rule("no options specified", is: .invalidArgument, means: "nothing was asked for"),
        Rule("parameter verification failed", is: .invalidArgument, means: "Proxmox VE does not take the value"),
        Rule("not enough arguments", is: .invalidArgument, means: "an argument is missing"),
        Rule("missing command", is: .invalidArgument, means: "there is no command to run"),
    ]
}
