package import WireProtocol

/// Something that a driver of a node can do.
package struct ActionOffer: Codable, Sendable, Hashable {
    package var driver: String
    /// With the driver's name: `docker.container.exec`.
    package var name: String
    /// `observe` or `mutate`.
    package var kind: String
    package var summary: String
    /// Time limit of a command that brings none.
    package var deadlineSeconds: Int64
    /// As good as a shell on the node: its policy must name it.
    package var guarded: Bool
    /// False where the node's policy allows it on no resource.
    package var allowed: Bool
    /// Whether it takes bytes: `none`, `always`, or `asked` for by its argument `stdin`. Absent where the node does not say.
    package var input: String?
    /// What it is asked for comes as output: bytes of a file, lines of a log.
    package var output: Bool?
    /// How its resource follows from its arguments: `proxmox/ct/{vmid}`. One of the two need not be given.
    package var resource: String?
    /// A JSON Schema (draft 2020-12) of what it takes. Absent where the node does not say.
    package var arguments: JSONValue?
    /// The same of what it takes among the secrets. Absent where it takes none.
    package var secrets: JSONValue?

    package init(
        driver: String, name: String, kind: String, summary: String, deadlineSeconds: Int64, guarded: Bool,
        allowed: Bool, input: String? = nil, output: Bool? = nil, resource: String? = nil,
        arguments: JSONValue? = nil, secrets: JSONValue? = nil
    ) {
        self.driver = driver
        self.name = name
        self.kind = kind
        self.summary = summary
        self.deadlineSeconds = deadlineSeconds
        self.guarded = guarded
        self.allowed = allowed
        (self.input, self.output, self.resource) = (input, output, resource)
        (self.arguments, self.secrets) = (arguments, secrets)
    }
}

/// `POST /api/v1/nodes/{id}/commands`.
package struct CommandBody: Codable, Sendable {
    /// With the driver's name: `docker.container.exec`.
    package var operation: String
    /// What it works on, as the driver calls it: `docker/web`. When absent it follows from the arguments where the
    /// operation's `resource` says how, else it is the driver's name; an argument that is absent follows from it.
    package var resource: String?
    /// An object.
    package var arguments: JSONValue?
    /// An object of arguments that are never shown, logged or given to a command line.
    package var secrets: JSONValue?
    /// 1 to 86400; the operation's own when absent.
    package var deadlineSeconds: Int64?
    /// The output waits for a reader of the operation's events, so that nothing of it is lost.
    package var follow: Bool?
    /// Somebody sits in front of it: it is called off when nobody has followed its events for 30 s.
    package var attended: Bool?

    package init(
        operation: String, resource: String? = nil, arguments: JSONValue? = nil, secrets: JSONValue? = nil,
        deadlineSeconds: Int64? = nil, follow: Bool? = nil, attended: Bool? = nil
    ) {
        self.operation = operation
        self.resource = resource
        self.arguments = arguments
        self.secrets = secrets
        self.deadlineSeconds = deadlineSeconds
        self.follow = follow
        self.attended = attended
    }
}

/// What a command operation does.
package struct CommandView: Codable, Sendable, Hashable {
    /// With the driver's name.
    package var name: String
    package var resource: String
    package var deadlineSeconds: Int64

    package init(name: String, resource: String, deadlineSeconds: Int64) {
        self.name = name
        self.resource = resource
        self.deadlineSeconds = deadlineSeconds
    }
}

/// A piece of what a command said: `text` where it is UTF-8, else `base64`.
package struct OutputPiece: Codable, Sendable, Hashable {
    /// `stdout` or `stderr`.
    package var stream: String
    /// Bytes of the stream before it; a jump shows what was not kept.
    package var offset: Int64
    package var text: String?
    package var base64: String?

    package init(stream: String, offset: Int64, text: String? = nil, base64: String? = nil) {
        self.stream = stream
        self.offset = offset
        self.text = text
        self.base64 = base64
    }

    /// Its bytes; nil where it has none that can be read.
    package var bytes: [UInt8]? { text.map { Array($0.utf8) } ?? base64.flatMap { Base64.decode($0) } }
}

/// The last that a command said, in order.
package struct CommandOutput: Codable, Sendable {
    package var pieces: [OutputPiece]

    package init(pieces: [OutputPiece]) { self.pieces = pieces }
}

/// `POST /api/v1/operations/{id}/input`: bytes for the standard input of a running command, as `text` or `base64`.
package struct InputBody: Codable, Sendable {
    package var text: String?
    package var base64: String?
    /// Bytes of the input before these: the same bytes twice are taken once.
    package var offset: Int64
    /// Nothing follows.
    package var end: Bool?
    /// With `columns`: the size of the command's terminal from now on, 1 to 10000.
    package var rows: Int64?
    package var columns: Int64?

    package init(
        text: String? = nil, base64: String? = nil, offset: Int64, end: Bool? = nil, rows: Int64? = nil,
        columns: Int64? = nil
    ) {
        self.text = text
        self.base64 = base64
        self.offset = offset
        self.end = end
        self.rows = rows
        self.columns = columns
    }
}

/// How much of a command's input is taken: send what follows. An `offset` below what was sent means that the command has
/// not read what it has yet.
package struct InputTaken: Codable, Sendable {
    package var offset: Int64

    package init(offset: Int64) { self.offset = offset }
}
