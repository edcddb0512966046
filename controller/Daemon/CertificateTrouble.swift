import Model
import Store

extension Store {
    /// A finding while the operator's certificate cannot serve. What cannot be written down is in the log already.
    nonisolated func note(certificateTrouble trouble: String?) async {
        let (kind, subject, now) = ("certificate.unusable", "controller/api_tls", Timestamp.now())
        guard let trouble else {
            _ = try? await resolve(kind, subject: subject, by: "controller", at: now)
            return
        }
        _ = try? await raise(
            Finding(
                kind, subject: subject, .error,
                summary: "The API's new certificate cannot serve, and the old one stays: \(trouble).",
                remedy: "Put right the files that api_tls names, and send the controller SIGHUP (systemctl reload)."),
            at: now)
    }
}
