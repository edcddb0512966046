/// A task of the node's tools that has not ended, by its name:
/// `UPID:node:00001A2B:0003C4D5:65F0A1B2:vzdump:101:root@pam:`.
struct TaskLine: Sendable, Hashable {
    /// What the tools file it and its log under.
    let name: String
    /// `vzclone`.
    let kind: String
    /// What it works on: the id of a container, mostly; of a clone the source, and nothing where it works on several.
    let subject: String
    let pid: Int32
    /// When its process began, in ticks since the node did: another process may have the number by now.
    let birth: UInt64

    /// Nil for a line that tells of none, or of one that has ended: of the list of active ones, or a process's own title.
    init?(_ line: some StringProtocol) {
        var words = line.split { $0 == " " || $0 == "\0" }
        // A worker calls itself `task UPID:…`.
        if words.first == "task" { words.removeFirst() }
        guard (1...2).contains(words.count) else { return nil }
        let fields = words[0].split(separator: ":", omittingEmptySubsequences: false)
        // Smaller numbers stand for other than one process, or for the first of all.
        guard fields.count > 6, fields[0] == "UPID", let pid = Int32(fields[2], radix: 16), pid > 1,
            let birth = UInt64(fields[3], radix: 16), !words[0].contains("/")
        else { return nil }
        self.pid = pid
        self.birth = birth
        name = String(words[0])
        kind = String(fields[5])
        subject = String(fields[6])
    }

    /// Where its log stands below the folder of all logs: they are spread by the last digit of the time it began at.
    var log: String {
        let started = name.split(separator: ":", omittingEmptySubsequences: false)[4]
        return "\(started.suffix(1))/\(name)"
    }
}
