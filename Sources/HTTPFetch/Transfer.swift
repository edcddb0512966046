import CLibCurl
import Glibc

/// One transfer on the transfer thread: owns libcurl's easy handle and answers its callbacks.
final class Transfer {
    /// Header fields of a response, together.
    static let headerLimit = 64 << 10

    let handle: UnsafeMutableRawPointer
    let exchange: Exchange
    private let limits: HTTPRequest
    private let begun = ContinuousClock.now
    private var lastActivity = ContinuousClock.now
    private var fields: UnsafeMutablePointer<curl_slist>?
    private var peer: UnsafeMutablePointer<curl_slist>?
    private let reach = UnsafeMutablePointer<CLibCurl_Reach>.allocate(capacity: 1)
    private let complaints = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var isReceivingPaused = false
    private var isSendingPaused = false
    private var head = HTTPHead(status: 0, headers: [:])
    private var headerBytes = 0
    private var hasHead = false
    /// What a callback found wrong, which libcurl can only report as a failed callback.
    private var refusal: (HTTPError.Kind, String)?

    /// Nil when libcurl refuses an option.
    init?(_ exchange: Exchange, _ request: HTTPRequest, _ target: HTTPTarget) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.exchange = exchange
        limits = request
        reach.initialize(to: CLibCurl_Reach(reach: request.reach.rawValue, refused: 0))
        complaints.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard configure(request, target) else { return nil }
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(fields)
        curl_slist_free_all(peer)
        complaints.deallocate()
        reach.deallocate()
    }

    // MARK: options

    private func configure(_ request: HTTPRequest, _ target: HTTPTarget) -> Bool {
        let options =
            EasyOptions(handle)
            .set(CURLOPT_URL, target.url).set(CURLOPT_PATH_AS_IS, 1)
            .set(CURLOPT_PROTOCOLS_STR, "http,https").set(CURLOPT_FOLLOWLOCATION, 0)
            .set(CURLOPT_PROXY, "").set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
            // HTTP/2 would hold a paused stream's window in memory; 1.1 pauses at the socket.
            .set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
            // A name lookup that hangs must not hold up the end of its transfer.
            .set(CURLOPT_NOSIGNAL, 1).set(CURLOPT_QUICK_EXIT, 1).set(CURLOPT_TCP_KEEPALIVE, 1)
            .set(CURLOPT_CONNECTTIMEOUT_MS, max(1, request.connectTimeout.wholeMilliseconds))
            .set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
            .set(CURLOPT_SSL_VERIFYPEER, 1).set(CURLOPT_SSL_VERIFYHOST, 2)
            .set(CURLOPT_ERRORBUFFER, pointer: complaints)
        if let path = request.unixSocket { options.set(CURLOPT_UNIX_SOCKET_PATH, path) }
        if let address = request.peer {
            // Any host and port of the request, at this address and the same port.
            peer = curl_slist_append(nil, address.contains(":") ? "::[\(address)]:" : "::\(address):")
            options.set(CURLOPT_CONNECT_TO, list: peer)
        }
        if case .authorities(let pem) = request.trust {
            // The directory of the machine's authorities would be searched beside the given ones.
            options.set(CURLOPT_CAINFO_BLOB, blob: pem).set(CURLOPT_CAPATH, pointer: nil)
        }
        configureMethod(request, options)
        configureFields(request, options)
        options.openSockets(reach).setCallbacks(self)
        return options.areTaken
    }

    private func configureMethod(_ request: HTTPRequest, _ options: EasyOptions) {
        let sends = exchange.upload != nil || ["POST", "PUT", "PATCH"].contains(request.method)
        if sends {
            let length = exchange.upload.map { $0.length ?? -1 } ?? 0
            options.set(CURLOPT_POST, 1).set(CURLOPT_POSTFIELDSIZE_LARGE, offset: length)
            if length == 0 { options.set(CURLOPT_COPYPOSTFIELDS, "") }
        }
        switch request.method {
        case "HEAD": options.set(CURLOPT_NOBODY, 1)
        case "GET" where !sends: break
        default: options.set(CURLOPT_CUSTOMREQUEST, request.method)
        }
        // libcurl sends a request again when a kept connection turns out dead; what may change something goes out on
        // a new connection, where that cannot happen. Where a kept connection leads was judged for another request.
        if !["GET", "HEAD"].contains(request.method) || request.reach != .anywhere {
            options.set(CURLOPT_FRESH_CONNECT, 1)
        }
    }

    private func configureFields(_ request: HTTPRequest, _ options: EasyOptions) {
        var lines = request.headers.fields.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        // Neither a pause before the body nor a form's type that nobody asked for.
        lines.append("Expect:")
        if request.headers["Content-Type"] == nil { lines.append("Content-Type:") }
        if let upload = exchange.upload, upload.length == nil { lines.append("Transfer-Encoding: chunked") }
        for line in lines { fields = curl_slist_append(fields, line) ?? fields }
        options.set(CURLOPT_HTTPHEADER, list: fields)
    }

    // MARK: callbacks

    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        lastActivity = .now
        guard !hasHead else { return true }
        headerBytes += line.count
        guard headerBytes <= Self.headerLimit else {
            refusal = (.responseTooLarge, "the header fields are larger than \(Self.headerLimit) bytes")
            return false
        }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            let parts = text.split(separator: " ", maxSplits: 2)
            head = HTTPHead(status: parts.count > 1 ? Int(parts[1].prefix(3)) ?? 0 : 0, headers: [:])
        } else if let colon = text.firstIndex(of: ":") {
            head.headers.append(String(text[..<colon]), text[text.index(after: colon)...].trimmed)
        } else if text.trimmed.isEmpty, head.status >= 200 {
            hasHead = true
            exchange.deliver(head)
        }
        return true
    }

    /// False to pause.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        lastActivity = .now
        isReceivingPaused = !exchange.deliver(bytes)
        return !isReceivingPaused
    }

    func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        lastActivity = .now
        switch exchange.upload?.read(into: buffer) ?? .bytes(0) {
        case .bytes(let count): return count
        case .pause:
            isSendingPaused = true
            return Int(CURL_READFUNC_PAUSE)
        case .failure:
            refusal = (.body, "the body of the request could not be read to its end")
            return Int(CURL_READFUNC_ABORT)
        }
    }

    func resumeReceiving() {
        isReceivingPaused = false
        applyPauses()
    }

    func resumeSending() {
        isSendingPaused = false
        applyPauses()
    }

    private func applyPauses() {
        lastActivity = .now
        let receiving = isReceivingPaused ? CURLPAUSE_RECV : 0
        let sending = isSendingPaused ? CURLPAUSE_SEND : 0
        curl_easy_pause(handle, receiving | sending)
    }

    // MARK: limits and outcome

    func nextLimit() -> (HTTPError.Limit, ContinuousClock.Instant)? {
        var nearest: (HTTPError.Limit, ContinuousClock.Instant)?
        func consider(_ limit: HTTPError.Limit, _ instant: ContinuousClock.Instant) {
            if nearest.map({ instant < $0.1 }) ?? true { nearest = (limit, instant) }
        }
        if let timeout = limits.timeout { consider(.total, begun + timeout) }
        if let timeout = limits.headTimeout, !hasHead { consider(.head, begun + timeout) }
        if let timeout = limits.idleTimeout, !isReceivingPaused, !isSendingPaused {
            consider(.idle, lastActivity + timeout)
        }
        return nearest
    }

    func complaint(about limit: HTTPError.Limit) -> String {
        switch limit {
        case .connect: "no connection within \(limits.connectTimeout)"
        case .head: "no response within \(limits.headTimeout ?? .zero)"
        case .idle: "silence for \(limits.idleTimeout ?? .zero)"
        case .total: "not done within \(limits.timeout ?? .zero)"
        }
    }

    func outcome(of code: CURLcode) -> Result<Void, HTTPError> {
        if let (kind, cause) = refusal {
            return .failure(HTTPError(kind: kind, subject: exchange.subject, cause: cause))
        }
        if code == CURLE_OK, hasHead { return .success(()) }
        if code == CURLE_COULDNT_CONNECT, reach.pointee.refused != 0 {
            return .failure(
                HTTPError(
                    kind: .forbidden, subject: exchange.subject,
                    cause: "its name leads to an address that is not allowed, such as a private one"))
        }
        let kind = code == CURLE_OK ? .disconnected : HTTPError.Kind(code)
        return .failure(HTTPError(kind: kind, subject: exchange.subject, cause: cause(of: code, kind)))
    }

    private func cause(of code: CURLcode, _ kind: HTTPError.Kind) -> String {
        var number = 0
        CLibCurl_get_long(handle, CURLINFO_OS_ERRNO, &number)
        switch kind {
        case .timedOut(let limit): return complaint(about: limit)
        case .unreachable where number != 0: return String(cString: strerror(Int32(number)))
        // Only these say more than the code, and quote nothing of the request but the host.
        case .untrusted, .handshake, .unresolved, .unreachable:
            let text = String(cString: complaints).prefix(300)
            return text.isEmpty ? String(cString: curl_easy_strerror(code)) : String(text)
        case .disconnected where !hasHead: return "the peer hung up without a whole response"
        case .disconnected: return "the peer hung up in the middle of the response"
        default: return String(cString: curl_easy_strerror(code))
        }
    }
}

extension HTTPError.Kind {
    init(_ code: CURLcode) {
        self =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
            case CURLE_COULDNT_CONNECT: .unreachable
            case CURLE_OPERATION_TIMEDOUT: .timedOut(.connect)
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR: .untrusted
            case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_INITFAILED: .handshake
            case CURLE_SSL_CACERT_BADFILE, CURLE_URL_MALFORMAT, CURLE_BAD_FUNCTION_ARGUMENT: .invalidRequest
            case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR: .disconnected
            // A header line beyond libcurl's own limit: 27 until 8.5, 100 since.
            case CURLE_OUT_OF_MEMORY, CURLcode(rawValue: 100): .responseTooLarge
            default: .malformedResponse
            }
    }
}

extension Duration {
    var wholeMilliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}

extension Substring {
    var trimmed: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
        let start = drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(start[...last])
    }
}

extension String {
    var trimmed: String { self[...].trimmed }
}
