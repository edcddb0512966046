import Saga

/// Why a shop does not come up, in words that its owner understands; the cluster's own stand behind.
enum StoreTrouble {
    /// In order: the first whose words occur says what it is about. In lower case.
    private static let sentences: [(words: [String], sentence: String)] = [
        (["exceeded quota"], "the shop needs more than its plan allows in the cluster"),
        (
            ["imagepullbackoff", "errimagepull", "invalidimagename", "errimageneverpull"],
            "an image of the shop cannot be fetched"
        ),
        (
            ["backofflimitexceeded", "job/setup: failed", "deadlineexceeded"],
            "the work that sets the shop up has failed"
        ),
        (
            ["unschedulable", "failedscheduling", "nodes are available"],
            "no machine of the cluster has room for the shop"
        ),
        (["oomkilled"], "the shop needs more memory than its plan gives it"),
        (["crashloopbackoff", "createcontainer", "runcontainererror"], "the shop starts and ends again"),
        (["is not bound", "volume is lost"], "the cluster gives the shop no storage"),
        (["has no address"], "the cluster's ingress has not taken the shop up"),
        (
            ["does not answer", "is overloaded", "connection to the cluster", "internal error"],
            "the cluster does not answer"
        ),
        (
            ["invalid ownership metadata", "does not belong to the release"],
            "something that is not the shop's is in its place"
        ),
        (["being removed", "terminating"], "what was there under this name before is still being removed"),
        (["does not allow"], "the cluster's machine does not allow what the chart asks for"),
    ]

    /// - Parameter said: what node and cluster said.
    static func reason(_ said: String) -> String? {
        let lowered = said.lowercased()
        return sentences.first { $0.words.contains { lowered.contains($0) } }?.sentence
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
