import Glibc

/// A task of the node's tools that has not ended, from the list of active ones:
/// `UPID:node:00001A2B:0003C4D5:65F0A1B2:vzdump:101:root@pam: 1`.
struct TaskLine: Sendable, Hashable {
    /// What it works on: the id of a container, mostly.
    let subject: String
    let pid: pid_t

    /// Nil for a line that tells of none, or of one that has ended.
    init?(_ line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard (1...2).contains(words.count) else { return nil }
        let fields = words[0].split(separator: ":", omittingEmptySubsequences: false)
        // Smaller numbers stand for other than one process, or for the first of all.
        guard fields.count > 6, let pid = pid_t(fields[2], radix: 16), pid > 1 else { return nil }
        self.pid = pid
        subject = String(fields[6])
    }

    var isAlive: Bool { kill(pid, 0) == 0 || errno == EPERM }
}
