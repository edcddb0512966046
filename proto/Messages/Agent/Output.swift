/// A piece of what a running command prints. Sent only under credit; `data.count` bytes of it are used up.
package struct Output: WireMessage {
    package static let type = "output"

    package var id: String
    package var stream: OutputStream
    /// Bytes of this stream before this piece, so that a gap shows.
    package var offset: Int64
    /// Goes as `text` when it is UTF-8, else as `base64`.
    package var data: [UInt8]

    package init(id: String, stream: OutputStream, offset: Int64, data: [UInt8]) {
        self.id = id
        self.stream = stream
        self.offset = offset
        self.data = data
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        id = try fields.id("id")
        stream = try fields.code("stream")
        offset = try fields.natural("offset")
        switch (try fields.optionalString("text"), try fields.optionalBase64("base64")) {
        case (let text?, nil): data = Array(text.utf8)
        case (nil, let bytes?): data = bytes
        case (nil, nil): throw FieldError(path: "text", problem: .missing)
        case (_?, _?): throw FieldError(path: "base64", problem: .value(expected: "absent where text is there"))
        }
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("id", id)
        fields.put("stream", stream)
        fields.put("offset", offset)
        if let text = String(validating: data, as: UTF8.self) {
            fields.put("text", text)
        } else {
            fields.put("base64", Base64.encode(data))
        }
    }
}

package enum OutputStream: OpenCode {
    case stdout
    case stderr
    case unknown(String)

    package static let known: [OutputStream] = [.stdout, .stderr]

    package var code: String {
        switch self {
        case .stdout: "stdout"
        case .stderr: "stderr"
        case .unknown(let code): code
        }
    }
}
