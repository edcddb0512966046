import CLibCurl
import Glibc

/// A request that has passed the checks made before anything is sent: a URL of ours, fields that cannot smuggle others.
struct HTTPTarget: Sendable {
    let url: String
    /// Method, scheme, host and path: what errors may name.
    let subject: String

    init(_ request: HTTPRequest) throws(HTTPError) {
        func refuse(_ cause: String, subject: String = "request") -> HTTPError {
            HTTPError(kind: .invalidRequest, subject: subject, cause: cause)
        }
        guard Self.isToken(request.method) else { throw refuse("the method is not a token") }
        guard !request.url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw refuse("the URL holds a space or a control character")
        }
        guard let parsed = curl_url() else { throw refuse("no memory for the URL") }
        defer { curl_url_cleanup(parsed) }
        let flags = UInt32(CURLU_DISALLOW_USER | CURLU_PATH_AS_IS)
        guard curl_url_set(parsed, CURLUPART_URL, request.url, flags) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: parsed), ["http", "https"].contains(scheme),
            let host = Self.part(CURLUPART_HOST, of: parsed), let path = Self.part(CURLUPART_PATH, of: parsed)
        else { throw refuse("not an absolute http or https URL without user name") }
        let port = Self.part(CURLUPART_PORT, of: parsed).map { ":\($0)" } ?? ""
        url = request.url
        subject = "\(request.method) \(scheme)://\(host)\(port)\(path)"
        for field in request.headers.fields {
            guard Self.isToken(field.name) else { throw refuse("a header name is not a token", subject: subject) }
            guard !field.value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
                throw refuse("the value of header \(field.name) holds a control character", subject: subject)
            }
        }
        guard request.peer.map(Self.isAddress) ?? true else {
            throw refuse("the peer is no IP address", subject: subject)
        }
        guard request.unixSocket.map({ !$0.isEmpty && $0.utf8.count < 108 && !$0.utf8.contains(0) }) ?? true else {
            throw refuse("the path of the UNIX socket is empty or longer than 107 bytes", subject: subject)
        }
    }

    private static func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }

    private static func isAddress(_ text: String) -> Bool {
        var room = in6_addr()
        return inet_pton(AF_INET, text, &room) == 1 || inet_pton(AF_INET6, text, &room) == 1
    }

    private static func isToken(_ text: String) -> Bool {
        let marks = Array("!#$%&'*+-.^_`|~".utf8)
        return !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: marks.contains(byte)
                }
            }
    }
}
