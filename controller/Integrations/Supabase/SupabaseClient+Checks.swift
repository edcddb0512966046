import ControllerCore
import IntegrationKit
import Model
import WireProtocol

extension SupabaseClient {
    func checks() async -> [IntegrationCheck] {
        let key = await IntegrationCheck.look("key") { () throws(PortError) in
            if let end = settings.key.expires {
                let time = Timestamp(milliseconds: min(max(end, 0), 1 << 40) * 1000)
                guard time > clock.now() else { throw PortError(.refused, "the service key ran out on \(time)") }
                return "the key is \(settings.key.sort), good until \(time)"
            }
            return "the key is \(settings.key.sort)"
        }
        guard key.isPassed else { return [key] }
        let schema = await IntegrationCheck.look("schema") { () throws(PortError) in
            guard case .object(let description) = try await call("", [], "the description of the tables") else {
                throw PortError(.refused, "there is an answer, and it is none of PostgREST")
            }
            let tables = description["definitions"]?.asObject?.keys.sorted() ?? []
            guard !tables.isEmpty else {
                throw PortError(.refused, "the schema \(settings.schema) shows no tables to this key")
            }
            let some = tables.prefix(10).joined(separator: ", ").quotable
            return "\(tables.count) tables of the schema \(settings.schema) are shown: \(some)"
        }
        return [key, schema]
    }
}
