import CLibCurl
import Glibc

/// The transfer thread, seen from outside: it lives as long as this object.
final class TransferLoop: Sendable {
    let commands = LoopCommands()

    init() {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(commands).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { argument in
                let commands = Unmanaged<LoopCommands>.fromOpaque(argument!).takeRetainedValue()
                TransferThread(commands).run()
                return nil
            }, argument)
        precondition(code == 0, "no thread for HTTP transfers: \(String(cString: strerror(code)))")
        pthread_detach(thread)
    }

    deinit { commands.submit(.stop) }
}

/// What runs on the transfer thread; nothing here is touched by another one.
private final class TransferThread {
    private static let curlIsReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let commands: LoopCommands
    private let multi: UnsafeMutableRawPointer
    private var transfers: [ObjectIdentifier: Transfer] = [:]
    private var isStopping = false

    init(_ commands: LoopCommands) {
        precondition(Self.curlIsReady, "libcurl cannot be initialised")
        self.commands = commands
        guard let multi = curl_multi_init() else { preconditionFailure("no memory for HTTP transfers") }
        self.multi = multi
    }

    func run() {
        // The process's signals are for its other threads, and a peer that hangs up must not raise SIGPIPE here.
        var everything = sigset_t()
        sigfillset(&everything)
        pthread_sigmask(SIG_SETMASK, &everything, nil)
        commands.attach(multi)
        while !isStopping {
            for command in commands.take() { obey(command) }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            collectFinished()
            let wait = expireOverdue()
            if !isStopping { curl_multi_poll(multi, nil, 0, wait, nil) }
        }
        commands.attach(nil)
        for transfer in transfers.values { remove(transfer, failing: .cancelled, "the client was closed") }
        curl_multi_cleanup(multi)
    }

    private func obey(_ command: LoopCommand) {
        switch command {
        case .start(let exchange, let request, let target): start(exchange, request, target)
        case .resumeReceiving(let exchange): transfers[ObjectIdentifier(exchange)]?.resumeReceiving()
        case .resumeSending(let exchange): transfers[ObjectIdentifier(exchange)]?.resumeSending()
        case .abort(let exchange):
            if let transfer = transfers[ObjectIdentifier(exchange)] {
                remove(transfer, failing: .cancelled, "cancelled")
            }
        case .stop: isStopping = true
        }
    }

    private func start(_ exchange: Exchange, _ request: HTTPRequest, _ target: HTTPTarget) {
        guard let transfer = Transfer(exchange, request, target),
            curl_multi_add_handle(multi, transfer.handle) == CURLM_OK
        else {
            exchange.finish(
                .failure(
                    HTTPError(
                        kind: .invalidRequest, subject: target.subject, cause: "libcurl does not take the request")))
            return
        }
        transfers[ObjectIdentifier(exchange)] = transfer
        exchange.upload?.begin { [commands] in commands.submit(.resumeSending(exchange)) }
    }

    private func collectFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            let result = CLibCurl_message_result(message)
            guard let transfer = transfers.values.first(where: { $0.handle == handle }) else { continue }
            let outcome = transfer.outcome(of: result)
            detach(transfer)
            transfer.exchange.finish(outcome)
        }
    }

    /// Ends what has run out of time. Returns the milliseconds until the next limit.
    private func expireOverdue() -> Int32 {
        let now = ContinuousClock.now
        var wait = Duration.seconds(3600)
        for transfer in transfers.values {
            guard let (limit, instant) = transfer.nextLimit() else { continue }
            if instant <= now {
                remove(transfer, failing: .timedOut(limit), transfer.complaint(about: limit))
            } else {
                wait = min(wait, now.duration(to: instant))
            }
        }
        let (seconds, attoseconds) = wait.components
        return Int32(seconds * 1000 + attoseconds / 1_000_000_000_000_000) + 1
    }

    private func remove(_ transfer: Transfer, failing kind: HTTPError.Kind, _ cause: String) {
        detach(transfer)
        let error = HTTPError(kind: kind, subject: transfer.exchange.subject, cause: cause)
        transfer.exchange.finish(.failure(error))
    }

    private func detach(_ transfer: Transfer) {
        curl_multi_remove_handle(multi, transfer.handle)
        transfers[ObjectIdentifier(transfer.exchange)] = nil
    }
}
