/// Whether an operation may change anything.
package enum ActionReportKind: OpenCode {
    /// It only looks, and may be done again.
    case observe
    case mutate
    case unknown(String)

    package static let known: [ActionReportKind] = [.observe, .mutate]

    package var code: String {
        switch self {
        case .observe: "observe"
        case .mutate: "mutate"
        case .unknown(let code): code
        }
    }
}

/// Whether an operation takes bytes from its asker while it runs.
package enum ActionInput: OpenCode {
    case none
    case always
    /// Where its argument `stdin` is true.
    case asked
    case unknown(String)

    package static let known: [ActionInput] = [.none, .always, .asked]

    package var code: String {
        switch self {
        case .none: "none"
        case .always: "always"
        case .asked: "asked"
        case .unknown(let code): code
        }
    }
}

/// One operation of a driver, as its node offers it.
package struct ActionReport: WireRecord {
    /// Most operations that one driver lists.
    package static let maximumCount = 512
    package static let maximumSummaryBytes = 256
    /// A longer schema is not kept.
    package static let maximumSchemaBytes = 16 << 10

    /// Without the driver's name: `container.ensure`.
    package var name: String
    /// An unknown kind counts as one that changes something.
    package var kind: ActionReportKind
    /// One line for people.
    package var summary: String
    /// Time limit of a command that brings none, in ms.
    package var deadlineMs: Int64
    /// As good as a shell on the node: off unless its policy names it.
    package var guarded: Bool
    /// False where the node's policy allows it on no resource.
    package var allowed: Bool
    /// Nil from an agent that does not say it; such a one takes numbers and true or false as JSON only, not as words.
    package var input: ActionInput?
    /// What it is asked for comes as output.
    package var output: Bool?
    /// How its resource is called, with arguments in braces: `proxmox/ct/{vmid}`.
    package var resource: String?
    /// What it takes: a JSON Schema (draft 2020-12) of an object. Nil from an agent that does not say it.
    package var arguments: JSONObject?
    /// The same of what it takes among the secrets; nil where it takes none.
    package var secrets: JSONObject?

    /// - Parameter summary: cut to what a line takes.
    package init(
        name: String, kind: ActionReportKind, summary: String, deadlineMs: Int64, guarded: Bool = false,
        allowed: Bool = true, input: ActionInput? = nil, output: Bool? = nil, resource: String? = nil,
        arguments: JSONObject? = nil, secrets: JSONObject? = nil
    ) {
        self.name = name
        self.kind = kind
        let words = summary.utf8.count <= Self.maximumSummaryBytes ? summary : String(summary.prefix(60))
        self.summary = words.isEmpty ? name : words
        self.deadlineMs = deadlineMs
        self.guarded = guarded
        self.allowed = allowed
        (self.input, self.output, self.resource) = (input, output, resource)
        (self.arguments, self.secrets) = (arguments, secrets)
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        name = try fields.id("name")
        kind = try fields.code("kind")
        summary = try fields.name("summary", limit: Self.maximumSummaryBytes)
        deadlineMs = try fields.interval("deadline_ms")
        guarded = try fields.bool("guarded")
        allowed = try fields.bool("allowed")
        input = try fields.optionalCode("input")
        output = try fields.optionalBool("output")
        resource = try fields.optionalName("resource", limit: 128)
        arguments = try fields.optionalObject("arguments")
        secrets = try fields.optionalObject("secrets")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("name", name)
        fields.put("kind", kind)
        fields.put("summary", summary)
        fields.put("deadline_ms", deadlineMs)
        fields.put("guarded", guarded)
        fields.put("allowed", allowed)
        if let input { fields.put("input", input) }
        if let output { fields.put("output", output) }
        fields.put("resource", resource)
        if let arguments { fields.put("arguments", arguments) }
        if let secrets { fields.put("secrets", secrets) }
    }
}
