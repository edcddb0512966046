/// The one line that a new agent sends on an enrolment connection: a join token for a certificate.
package struct EnrolmentRequest: WireMessage {
    package static let type = "enrol"

    /// The join token's id part.
    package var token: String
    /// Its secret part; never logged.
    package var secret: String
    /// PEM; the key stays with the agent.
    package var csr: String
    package var hostname: String
    /// The agent's own version.
    package var agent: String
    /// All protocol versions that it speaks.
    package var `protocol`: [Int64]

    package init(
        token: String, secret: String, csr: String, hostname: String, agent: String,
        protocol: [Int64] = ProtocolVersion.supported
    ) {
        self.token = token
        self.secret = secret
        self.csr = csr
        self.hostname = hostname
        self.agent = agent
        self.protocol = `protocol`
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        token = try fields.id("token")
        secret = try fields.name("secret")
        csr = try fields.pem("csr")
        hostname = try fields.name("hostname", limit: 253)
        agent = try fields.name("agent", limit: 64)
        `protocol` = try fields.integers("protocol", limit: 16)
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("token", token)
        fields.put("secret", secret)
        fields.put("csr", csr)
        fields.put("hostname", hostname)
        fields.put("agent", agent)
        fields.put("protocol", `protocol`)
    }
}

extension EnrolmentRequest: CustomStringConvertible, CustomReflectable {
    /// Without the secret, so that an interpolated message cannot leak it.
    package var description: String { "enrol(token: \(token), hostname: \(hostname))" }
    package var customMirror: Mirror {
        Mirror(self, children: ["token": token, "hostname": hostname, "agent": agent])
    }
}
