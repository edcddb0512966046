import CLibCurl

/// Options of an easy handle, set one after the other; one refused option spoils the lot.
final class EasyOptions {
    private let handle: UnsafeMutableRawPointer
    private(set) var areTaken = true

    init(_ handle: UnsafeMutableRawPointer) {
        self.handle = handle
    }

    @discardableResult
    func set(_ option: CURLoption, _ value: Int) -> Self { note(CLibCurl_set_long(handle, option, value)) }

    @discardableResult
    func set(_ option: CURLoption, offset: Int) -> Self {
        note(CLibCurl_set_offset(handle, option, curl_off_t(offset)))
    }

    @discardableResult
    func set(_ option: CURLoption, _ value: String) -> Self { note(CLibCurl_set_string(handle, option, value)) }

    @discardableResult
    func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) -> Self {
        note(CLibCurl_set_pointer(handle, option, pointer))
    }

    @discardableResult
    func set(_ option: CURLoption, blob: [UInt8]) -> Self {
        note(blob.withUnsafeBytes { CLibCurl_set_blob(handle, option, $0.baseAddress, $0.count) })
    }

    @discardableResult
    func set(_ option: CURLoption, list: UnsafeMutablePointer<curl_slist>?) -> Self {
        note(CLibCurl_set_list(handle, option, list))
    }

    /// What `reach` points to must outlive its handle.
    @discardableResult
    func openSockets(_ reach: UnsafeMutablePointer<CLibCurl_Reach>) -> Self {
        note(CLibCurl_open_sockets(handle, reach))
    }

    /// The transfer must outlive its handle.
    func setCallbacks(_ transfer: Transfer) {
        note(
            CLibCurl_set_callbacks(
                handle,
                { bytes, _, count, data in
                    let line = UnsafeRawBufferPointer(start: bytes, count: count)
                    return Unmanaged<Transfer>.fromOpaque(data!).takeUnretainedValue().receiveHeader(line) ? count : 0
                },
                { bytes, _, count, data in
                    let body = UnsafeRawBufferPointer(start: bytes, count: count)
                    let transfer = Unmanaged<Transfer>.fromOpaque(data!).takeUnretainedValue()
                    return transfer.receiveBody(body) ? count : Int(CURL_WRITEFUNC_PAUSE)
                },
                { bytes, size, count, data in
                    let room = UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
                    return Unmanaged<Transfer>.fromOpaque(data!).takeUnretainedValue().send(into: room)
                },
                Unmanaged.passUnretained(transfer).toOpaque()))
    }

    @discardableResult
    private func note(_ code: CURLcode) -> Self {
        if code != CURLE_OK { areTaken = false }
        return self
    }
}
