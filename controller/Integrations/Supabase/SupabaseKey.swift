import IntegrationKit
import WireProtocol

/// What opens the API: a key that is no more than a word, or a JWT.
struct SupabaseKey: Sendable, Hashable {
    let text: String
    /// Of a JWT: as which role of the database it works. Its signature is the API's business.
    let role: String?
    /// Of a JWT: until when it is good, in seconds since 1970; nil for always.
    let expires: Int64?
    let isToken: Bool

    /// Refuses keys for browsers: with them rows that are hidden are as if they were not there, without any error.
    init(_ text: String) throws(FieldError) {
        func wrong(_ expected: String) -> FieldError {
            FieldError(path: "key", problem: .value(expected: expected))
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw wrong("a key without blanks") }
        guard !text.hasPrefix("sb_publishable_") else {
            throw wrong("a secret key, since a publishable one is shown no rows")
        }
        let claims = Self.claims(text)
        (self.text, isToken) = (text, claims != nil)
        (role, expires) = (claims?["role"]?.asString, claims?["exp"]?.asInteger)
        guard role != "anon" else { throw wrong("the key service_role, since the key anon is shown no rows") }
    }

    private static func claims(_ text: String) -> JSONObject? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var payload = String(parts[1]).replacing("-", with: "+").replacing("_", with: "/")
        while payload.utf8.count % 4 != 0 { payload += "=" }
        guard let bytes = Base64.decode(payload) else { return nil }
        return (try? JSONParser.parse(bytes))?.asObject
    }

    /// A word goes into `apikey` alone: as a bearer it would be read as a JWT, and refused.
    var headers: [String: String] {
        isToken ? ["apikey": text, "Authorization": "Bearer \(text)"] : ["apikey": text]
    }

    /// For people.
    var sort: String {
        isToken ? "a JWT of the role \(role?.quotable ?? "that the API takes for it")" : "a secret key"
    }
}
