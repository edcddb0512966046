import DriverKit

/// By what a container is known as ours: the first line of its description, `innkeeper: SERVICE NONCE VMID`.
///
/// A clone and a restoration take the description along. That is why the mark names the container that it is for.
struct GuestMark: Sendable, Hashable {
    /// Whom it is for; nil where nobody was named.
    let service: String?
    /// Tells one making of a container from another: the command that made it.
    let nonce: String
    /// Nil in the form of earlier versions, which did not say.
    let vmid: Int?

    init(service: String?, nonce: String, vmid: Int?) {
        (self.service, self.nonce, self.vmid) = (service, nonce, vmid)
    }

    /// Nil for a description that bears none.
    init?(description: String) {
        let lines = description.split(separator: "\n", omittingEmptySubsequences: false)
        let words = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
        if words.count == 4, words[0] == "innkeeper:", let vmid = Int(words[3]), !words[1].isEmpty, !words[2].isEmpty {
            self.init(service: words[1] == "-" ? nil : String(words[1]), nonce: String(words[2]), vmid: vmid)
            return
        }
        guard let earlier = lines.first(where: { $0.hasPrefix("innkeeper ") }) else { return nil }
        func value(_ key: String) -> String? {
            earlier.split(separator: " ").first { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
        }
        guard let command = value("command") else { return nil }
        self.init(service: value("owner"), nonce: command, vmid: nil)
    }

    var line: String { "innkeeper: \(service ?? "-") \(nonce) \(vmid ?? 0)" }
}

/// The second line of a clone's description: what it was copied from, and whether its own settings are still to come.
struct CopyNote: Sendable, Hashable {
    let source: Int
    let isUnfinished: Bool

    init(source: Int, isUnfinished: Bool) { (self.source, self.isUnfinished) = (source, isUnfinished) }

    init?(description: String) {
        let lines = description.split(separator: "\n", omittingEmptySubsequences: false)
        let words = lines.count > 1 ? lines[1].split(separator: " ") : []
        guard words.count >= 4, words[0] == "innkeeper:", words[1] == "copied", words[2] == "from",
            let source = Int(words[3])
        else { return nil }
        self.init(source: source, isUnfinished: words.dropFirst(4).first == "unfinished")
    }

    var line: String { "innkeeper: copied from \(source)" + (isUnfinished ? " unfinished" : "") }
}

extension Guest {
    /// What a call's mark is compared with.
    var foundMark: FoundMark {
        if let original = markedFor { return .copy(of: "container \(original)") }
        guard let mark, let service = mark.service else { return .stranger }
        return .mark(Mark(service: service, nonce: mark.nonce))
    }

    /// Nil also for a mark that a copy has taken along from another.
    var mark: GuestMark? { config.mark.flatMap { ($0.vmid ?? vmid) == vmid ? $0 : nil } }

    /// The other container whose mark it bears: somebody has copied that one by hand.
    var markedFor: Int? { config.mark?.vmid.flatMap { $0 == vmid ? nil : $0 } }

    /// Whether it is what a call wants to make: made by this very command, or for the same service by an earlier one.
    func isOurs(_ service: String?, _ command: String) -> Bool {
        guard let mark else { return false }
        return mark.nonce == command || service != nil && mark.service == service
    }

    /// Refuses what is marked as another's, or not at all.
    func checkOwner(_ service: String?) throws(DriverError) {
        guard let service, mark?.service != service else { return }
        throw DriverError(
            .foreign, "container \(vmid) belongs to \(mark?.service ?? "nobody"), not to \(service)")
    }

    /// That it is ours, but not as asked for.
    func hasOther(_ names: [String]) -> DriverError {
        DriverError(.conflict, "container \(vmid) is there, but with another \(names.joined(separator: ", "))")
            .afterChange()
    }

    /// That the id is taken, and by whom.
    var isAnothers: DriverError {
        DriverError(
            .foreign, "the id is taken: container \(vmid) is there",
            cause: mark?.service.map { "it belongs to \($0)" }
                ?? markedFor.map { "it is a copy of container \($0) that was made by somebody else" }
                ?? "it bears no mark of Innkeeper's")
    }
}

extension GuestConfig {
    var mark: GuestMark? { GuestMark(description: description) }
    var copyNote: CopyNote? { CopyNote(description: description) }
}
