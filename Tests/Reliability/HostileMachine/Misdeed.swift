import Testing
import WireProtocol

/// Something that a tool does instead of its work, and what the result must say of it.
struct Misdeed: Sendable, CustomTestStringConvertible {
    var name: String
    /// Run by the tool's shell in the place of a change.
    var script: String
    var deadline = Duration.seconds(60)
    var status = CommandStatus.failed
    var code: CommandErrorCode?
    /// Words of the message, and of what the tool itself said.
    var message = ""
    var detail = ""

    var testDescription: String { name }

    /// A word of its own on the command lines of whatever a misdeed leaves running.
    static let mark = "61803.39887"

    static let all = [
        Misdeed(
            name: "hangs", script: "echo waiting >&2; exec sleep \(mark)", deadline: .seconds(1), code: .timedOut,
            message: "the deadline of 1000 ms passed; zfs was stopped while it worked", detail: "waiting"),
        Misdeed(
            name: "ignores-term", script: "trap '' TERM; while :; do sleep 0.05 \(mark); done", deadline: .seconds(1),
            code: .timedOut, message: "zfs did not obey and was killed while it worked"),
        Misdeed(
            name: "stops-itself", script: "kill -STOP $$", deadline: .seconds(1), code: .timedOut,
            message: "zfs did not obey and was killed"),
        Misdeed(
            name: "floods", script: "head -c 1073741824 /dev/zero", code: .failed, message: "printed more than 16 MiB"),
        Misdeed(
            name: "floods-errors", script: "head -c 1073741824 /dev/zero >&2", code: .failed,
            message: "printed more than 16 MiB"),
        Misdeed(
            name: "babbles", script: #"printf 'bad \377\376 words\n' >&2; exit 1"#, code: .failed,
            message: "ZFS refused", detail: "bad \u{FFFD}\u{FFFD} words"),
        Misdeed(
            name: "closes-early", script: "echo last words >&2; exec >&- 2>&-; sleep 0.5; exit 3", code: .failed,
            message: "ZFS refused", detail: "last words"),
        Misdeed(
            name: "leaves-one-behind", script: "setsid -f sh -c 'trap \"\" TERM HUP; exec sleep \(mark)'",
            status: .succeeded),
        Misdeed(
            name: "hangs-behind-others",
            script: """
                setsid -f sh -c 'trap "" TERM HUP; sleep \(mark)'
                env -i setsid sh -c 'trap "" TERM HUP; sleep \(mark)' & exec sleep \(mark)
                """, deadline: .seconds(1), code: .timedOut, message: "zfs was stopped"),
        Misdeed(
            name: "crashes", script: "echo so far so good >&2; kill -SEGV $$", code: .failed,
            message: "killed by signal 11", detail: "so far so good"),
        Misdeed(
            name: "forks", script: "for i in $(seq 200); do sleep \(mark) & done; wait", deadline: .seconds(2),
            code: .timedOut, message: "zfs was stopped"),
    ]

    /// Grows until the kernel ends it, in a group with little memory.
    static func fat(_ members: String) -> Misdeed {
        Misdeed(
            name: "grows", script: "echo $$ >\(members); exec tail /dev/zero", code: .failed,
            message: "killed by signal 9")
    }

    /// Hangs so that not even KILL ends it, as on a pool that is suspended, until its group thaws.
    static func frozen(_ group: FrozenGroup) -> Misdeed {
        Misdeed(
            name: "hangs-in-the-kernel", script: "echo $$ >\(group.members); echo in >\(group.mark); sleep \(mark)",
            deadline: .seconds(3), code: .timedOut, message: "zfs hangs in the kernel")
    }
}
