import AgentCore
import DaemonKit
import Model
import Transport

/// Who the node is to its controller, and for how long.
enum IdentityRemarks {
    static func examine(_ data: String, now: Timestamp = .now()) -> ([Remark], NodeIdentity?) {
        let enrol = "innkeeper-agent enrol --controller HOST:PORT --token TOKEN --data \(data)"
        do throws(IdentityError) {
            guard let identity = try NodeIdentity.load(folder: data) else {
                let text = "\(data) belongs to no node yet"
                return ([.wrong("identity", text, advice: "\(enrol) (a token: innctl token create)")], nil)
            }
            return ([term(of: identity, now, enrol)], identity)
        } catch {
            return ([.wrong("identity", error.description, advice: "put it right as said, or \(enrol)")], nil)
        }
    }

    private static func term(of identity: NodeIdentity, _ now: Timestamp, _ enrol: String) -> Remark {
        let certificate = identity.certificate
        let name = "node \(identity.node) of \(identity.controller)"
        if identity.isExpired(at: now) {
            let text = "\(name); its certificate expired \(days(now.milliseconds - certificate.notAfter)) ago"
            return .wrong("identity", text, advice: enrol)
        }
        if certificate.notBefore > now.milliseconds {
            let text = "\(name); its certificate is not valid before \(days(certificate.notBefore - now.milliseconds))"
            return .wrong("identity", "\(text) from now", advice: "set the clock of this machine")
        }
        let left = "valid for \(days(certificate.notAfter - now.milliseconds))"
        guard now < identity.renewalDue else {
            return .note(
                "identity", "\(name); \(left), and its renewal is overdue",
                advice: "see why the agent does not reach its controller: journalctl -u innkeeper-agent")
        }
        return .good("identity", "\(name); \(left)")
    }

    private static func days(_ milliseconds: Int64) -> String {
        let hours = milliseconds / 3_600_000
        return hours < 48 ? "\(hours) hours" : "\(hours / 24) days"
    }
}

/// Who may touch the files of the data folder.
enum StateModes {
    private static let files = ["identity.json", "enrolment.key", "journal.sqlite", "spool.sqlite", "audit.log"]

    static func remarks(in data: String) -> [Remark] {
        files.compactMap { name in
            do throws(FileError) { try FileMode.requirePrivate("\(data)/\(name)") } catch {
                guard !error.isMissing else { return nil }
                return .wrong("data", error.description, advice: "see who has read it, then chmod 600 \(data)/\(name)")
            }
            return nil
        }
    }
}
