/// What an action is, for policies, time limits and people.
package struct ActionSpec: Sendable, Hashable {
    /// Whether an action may change anything.
    package enum Kind: String, Sendable, Hashable {
        case observe, mutate
    }

    /// Whether an action takes bytes from its asker.
    package enum Input: Sendable, Hashable {
        case none, always
        /// Where its argument `stdin` is true.
        case asked
    }

    /// Name within the driver: `container.ensure`.
    package let name: String
    package let kind: Kind
    /// Time limit of a command that brings none.
    package let defaultDeadline: Duration
    /// One line for people.
    package let summary: String
    /// As good as a shell on the node: runs what the caller says, or writes it where the caller says. Off unless a rule of
    /// the node's policy spells the action's last word.
    package let isGuarded: Bool
    /// Goes on for as long as its asker likes: a shell, a log that is followed, a stream. It runs beside the lane of its
    /// resource and takes no place of its driver, so that it holds nobody up.
    package let isLasting: Bool
    /// Whether its asker sends bytes while it runs.
    package let input: Input
    /// What it is asked for comes as output: bytes for a file, lines of a log. What it answers beside them is about them.
    package let givesBytes: Bool
    /// How its resource is called, with arguments in braces: `proxmox/ct/{vmid}`. Nil leaves it to the asker.
    package private(set) var resource: String?

    /// - Parameter guarded: nil guards what is called `exec`, `raw` or `write`, or is about one of them.
    package init(
        _ name: String, _ kind: Kind, defaultDeadline: Duration = .seconds(60), summary: String, guarded: Bool? = nil,
        lasting: Bool = false, input: Input = .none, givesBytes: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.defaultDeadline = defaultDeadline
        self.summary = summary
        isLasting = lasting
        (self.input, self.givesBytes) = (input, givesBytes)
        isGuarded = guarded ?? name.split(separator: ".").contains { Self.guardedWords.contains(String($0)) }
    }

    private static let guardedWords: Set<String> = ["exec", "raw", "write"]

    /// The same with the form of its resource.
    /// - Parameter forms: by its name, or by all but the last word of it; a list of things works on none of them.
    package func named(by forms: [String: String]) -> ActionSpec {
        var spec = self
        let words = name.split(separator: ".")
        let isList = words.last == "list"
        spec.resource = forms[name] ?? (isList ? nil : forms[words.dropLast().joined(separator: ".")])
        return spec
    }
}

/// One row of a driver's table of actions: what it is and how it is done.
package struct Action<Subject: Sendable>: Sendable {
    package typealias Body =
        @Sendable (Subject, ActionCall, ActionContext) async throws(DriverError) -> ActionOutcome

    package let spec: ActionSpec
    package let body: Body

    package init(_ spec: ActionSpec, _ body: @escaping Body) {
        self.spec = spec
        self.body = body
    }
}

extension Sequence {
    /// Runs the row that bears the call's name on the subject.
    /// - Throws: `unsupported` when there is no such row, otherwise what the row throws with action and resource filled in.
    package func perform<Subject>(
        _ call: ActionCall, on subject: Subject, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome where Element == Action<Subject> {
        guard let row = first(where: { $0.spec.name == call.action }) else {
            throw DriverError(.unsupported, "this driver has no action \(call.action)").about(call)
        }
        do {
            return try await row.body(subject, call, context)
        } catch {
            throw error.about(call)
        }
    }
}
