import DaemonKit
import Glibc
import Model
import Store
import Transport

/// What is in the controller's folder: keys, certificates, the store.
struct StateRemarks {
    let folder: String
    private static let day: Int64 = 86_400_000
    /// Agents hold the authority's certificate; replacing it takes the operator this long at worst.
    private static let authorityWarning = 180 * day

    /// A backup may be as large as the store, and the store grows.
    static func room(_ folder: String) -> UInt64 {
        var status = stat()
        let store = stat("\(folder)/controller.sqlite", &status) == 0 ? UInt64(max(status.st_size, 0)) : 0
        return max(store, 1 << 30)
    }

    func examine(now: Timestamp = .now()) -> [Remark] {
        do throws(ConfigurationError) { try StateFiles.requireController(in: folder) } catch {
            return [.wrong("state", error.message, advice: "as said")]
        }
        return keys + [authority(now), server(now), store]
    }

    private var keys: [Remark] {
        let problems = ["ca.key", "secrets.key", "server.key", "tickets.key", "controller.sqlite"].compactMap(openFile)
        return problems.isEmpty ? [.good("keys", "private to their user")] : problems
    }

    private func openFile(_ name: String) -> Remark? {
        do throws(FileError) { try FileMode.requirePrivate("\(folder)/\(name)") } catch {
            guard !error.isMissing else { return nil }
            let advice = "find out who has read it before you chmod 600 \(folder)/\(name)"
            return .wrong("keys", error.description, advice: advice)
        }
        return nil
    }

    private func authority(_ now: Timestamp) -> Remark {
        let restore = "put the files back, or innkeeper-controller restore --data \(folder) FILE"
        do {
            let authority = try CertificateAuthority(
                certificatePEM: PEMFile.read("\(folder)/ca.pem"), keyPEM: PEMFile.readKey("\(folder)/ca.key"))
            let left = authority.certificate.notAfter - now.milliseconds
            guard left > 0 else {
                let advice = "make a new controller and enrol every node again"
                return .wrong("authority", "its certificate has expired", advice: advice)
            }
            let text = "its key fits, its certificate is valid for \(left / Self.day) days"
            guard left > Self.authorityWarning else {
                return .note("authority", text, advice: "plan to enrol every node again before that")
            }
            return .good("authority", text)
        } catch { return .wrong("authority", "ca.pem and ca.key cannot be used: \(error)", advice: restore) }
    }

    /// One that is missing, damaged or near its end is made anew at a start and once a day.
    private func server(_ now: Timestamp) -> Remark {
        do {
            let certificate = try Certificate(pem: PEMFile.read("\(folder)/server.pem"))
            let left = certificate.notAfter - now.milliseconds
            let names = (certificate.dnsNames + certificate.ipAddresses).joined(separator: ", ")
            guard certificate.isValid(at: now.milliseconds) else {
                let advice = "start the controller again, or set the clock: the start makes a new one"
                return .wrong("server certificate", "not valid now; names: \(names)", advice: advice)
            }
            return .good("server certificate", "valid for \(left / Self.day) days; names: \(names)")
        } catch { return .note("server certificate", "\(error)", advice: "the next start makes a new one") }
    }

    private var store: Remark {
        do throws(StoreError) {
            let schema = try Store.schema(of: "\(folder)/controller.sqlite")
            let newest = Store.newestSchema
            guard schema < newest else { return .good("store", "opens and is sound, schema \(schema)") }
            return .note("store", "opens, schema \(schema); the next start brings it to \(newest)")
        } catch {
            let advice = "nothing was changed; innkeeper-controller restore --data \(folder) FILE brings in a backup"
            return .wrong("store", error.description, advice: advice)
        }
    }
}
