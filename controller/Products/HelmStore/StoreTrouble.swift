import Saga

/// Why a shop does not come up, in words that its owner understands; the cluster's own stand behind.
enum StoreTrouble {
    /// In order: the first whose words occur says what it is about. In lower case; `…` stands for what is between.
    private static let sentences: [(words: [String], sentence: String)] = [
        (["exceeded quota"], "the shop needs more than its plan allows in the cluster"),
        (
            ["imagepullbackoff", "errimagepull", "invalidimagename", "errimageneverpull"],
            "an image of the shop cannot be fetched"
        ),
        (["job/backup-…: failed"], "the shop could not be backed up"),
        (["job/restore-…: failed"], "the backup could not be put back"),
        (["job/remove-…: failed"], "the backup could not be removed"),
        (
            ["job/setup-…: failed", "backofflimitexceeded", "deadlineexceeded"],
            "the work that sets the shop up has failed"
        ),
        (["unbound immediate", "volume node affinity"], "the cluster gives the shop no storage"),
        (
            ["unschedulable", "failedscheduling", "nodes are available"],
            "no machine of the cluster has room for the shop"
        ),
        (["oomkilled"], "the shop needs more memory than its plan gives it"),
        (["crashloopbackoff", "createcontainer", "runcontainererror"], "the shop starts and ends again"),
        (["is not bound", "volume is lost"], "the cluster gives the shop no storage"),
        (["has no address"], "the cluster's ingress has not taken the shop up"),
        (
            ["does not answer", "did not answer", "is overloaded", "connection to the cluster", "internal error"],
            "the cluster does not answer"
        ),
        (
            ["invalid ownership metadata", "does not belong to the release"],
            "something that is not the shop's is in its place"
        ),
        (
            ["claims that stay", "after its removal began"],
            "the cluster has not let go of all that the shop had there"
        ),
        (["being removed", "terminating"], "what was there under this name before is still being removed"),
        (["being worked on", "may be working on", "works on release"], "somebody else is working on the shop"),
        (
            ["there is no chart", "no such chart", "no such version of the chart", "chart repository", "be fetched"],
            "the chart that the plan names cannot be had"
        ),
        (
            ["does not take the values", "cannot be rendered", "its values cannot be read"],
            "the chart does not take what the plan tells it"
        ),
        (
            ["does not permit", "are not accepted", "does not know these credentials"],
            "the cluster does not let the node do this"
        ),
        (["is unreachable"], "the machine that leads to the cluster does not answer"),
        (["does not allow"], "the cluster's machine does not allow what the chart asks for"),
    ]

    /// - Parameter said: what node and cluster said.
    static func reason(_ said: String) -> String? {
        let lowered = said.lowercased()
        return sentences.first { $0.words.contains { occurs($0, in: lowered) } }?.sentence
    }

    private static func occurs(_ word: String, in text: String) -> Bool {
        var rest = text[...]
        for part in word.split(separator: "…") {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    /// A sentence with what was said behind it.
    static func told(_ said: String, else fallback: String) -> String {
        "\(reason(said) ?? fallback): \(said)"
    }
}

extension StepFailure {
    /// With what it means for the shop before it.
    var explained: StepFailure {
        guard let reason = StoreTrouble.reason(message) else { return self }
        var failure = self
        failure.message = "\(reason): \(message)"
        return failure
    }
}
