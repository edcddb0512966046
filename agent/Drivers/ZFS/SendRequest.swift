import DriverKit
import Model
import WireProtocol

/// What a call wants sent, as the words of `zfs send`.
struct SendRequest: Sendable {
    let dataset: String
    /// Nil when an interrupted stream is taken up again.
    let snapshot: String?
    /// `@snapshot` or `#bookmark` of the same dataset that the receiver has already.
    let base: String?
    let token: String?
    private let flags: [String]

    /// Names of the arguments that are flags, with the letters of the tool.
    private static let switches = [
        ("raw", "-w"), ("compressed", "-c"), ("large_blocks", "-L"), ("embedded", "-e"), ("properties", "-p"),
        ("replicate", "-R"),
    ]

    /// - Parameter resumable: whether a token may take the place of a snapshot.
    init(_ reader: inout ArgumentReader, resumable: Bool = true) throws(DriverError) {
        dataset = try reader.string("dataset")
        snapshot = try reader.optionalString("snapshot")
        let from = try reader.optionalString("from_snapshot")
        let bookmark = try reader.optionalString("from_bookmark")
        base = from.map { "@\($0)" } ?? bookmark.map { "#\($0)" }
        let withIntermediates = try reader.bool("intermediates")
        token = resumable ? try reader.optionalString("resume_token") : nil
        var flags: [String] = []
        for (name, letter) in Self.switches where try reader.bool(name) { flags.append(letter) }
        if let base { flags += [withIntermediates ? "-I" : "-i", base] }
        self.flags = flags
        if from != nil, bookmark != nil { throw .invalidArgument("from_bookmark", "excludes from_snapshot") }
        if withIntermediates, from == nil { throw .invalidArgument("intermediates", "needs from_snapshot") }
        if token != nil {
            guard snapshot == nil, flags.isEmpty else {
                throw .invalidArgument("resume_token", "says by itself what is sent, and how")
            }
        } else if snapshot == nil {
            throw .invalidArgument("snapshot", "is missing")
        }
    }

    /// The full name of what is sent.
    var source: String { snapshot.map { "\(dataset)@\($0)" } ?? dataset }
    /// Words of the command that sends.
    var words: [String] { ["send"] + (token.map { ["-t", $0] } ?? flags + ["--", source]) }
    /// Words of the command that says how much it would be.
    var estimateWords: [String] { ["send", "-n", "-P"] + (token.map { ["-t", $0] } ?? flags + ["--", source]) }
}

/// What `zfs send -nP` says.
struct SendEstimate: Sendable, Hashable {
    var bytes: Int64?
    /// The snapshot that a token stands for.
    var name: String?

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let columns = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
            if columns.count == 2, columns[0] == "size" {
                bytes = Int64(columns[1]).flatMap { $0 >= 0 ? $0 : nil }
            }
            if columns.count == 3, columns[0] == "toname", columns[1] == "=" { name = String(columns[2]) }
        }
    }
}
