/// What an action is, for policies, time limits and people.
package struct ActionSpec: Sendable {
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
    /// Works in a guest for minutes: it keeps the lane of its resource, and takes nobody's place.
    package let isSlow: Bool
    /// How its resource is called, with arguments in braces: `proxmox/ct/{vmid}`. Nil leaves it to the asker.
    package private(set) var resource: String?
    /// What it takes. Nil for one that says so nowhere and gets everything as it comes.
    package private(set) var arguments: [Argument]?
    /// What it takes among the secrets: what may reach the child process or the engine but no log, receipt or result.
    package private(set) var secrets: [Argument] = []

    /// - Parameter guarded: nil guards what is called `exec`, `raw` or `write`, or is about one of them.
    package init(
        _ name: String, _ kind: Kind, defaultDeadline: Duration = .seconds(60), summary: String, guarded: Bool? = nil,
        lasting: Bool = false, input: Input = .none, givesBytes: Bool = false, slow: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.defaultDeadline = defaultDeadline
        self.summary = summary
        (isLasting, isSlow) = (lasting, slow)
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

extension ActionSpec {
    /// The same with what it takes.
    package func taking(_ arguments: [Argument], secrets: [Argument] = []) -> ActionSpec {
        var spec = self
        (spec.arguments, spec.secrets) = (arguments, secrets)
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

extension Array {
    /// The same table with what each action takes, by its name.
    /// - Parameter marked: actions, or nouns of things, that bear marks; what changes one of them takes a mark as well.
    package func taking<Subject>(
        _ arguments: [String: [Argument]], secrets: [String: [Argument]] = [:], marked: Set<String> = []
    ) -> [Action<Subject>] where Element == Action<Subject> {
        map { row in
            guard let taken = arguments[row.spec.name] else { return row }
            let noun = row.spec.name.split(separator: ".").first.map(String.init) ?? ""
            let isMarked = marked.contains(noun) || marked.contains(row.spec.name)
            let takesMark = row.spec.kind == .mutate && isMarked && !taken.contains { $0.name == "mark" }
            let all = taken + (takesMark ? [.mark] : [])
            return Action(row.spec.taking(all, secrets: secrets[row.spec.name] ?? []), row.body)
        }
    }
}
