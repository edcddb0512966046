/// The answer to `renew`.
package struct CertificateGrant: WireMessage {
    package static let type = "certificate"

    /// PEM.
    package var certificate: String
    /// PEM of the controller's own authority.
    package var authority: String

    package init(certificate: String, authority: String) {
        self.certificate = certificate
        self.authority = authority
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        certificate = try fields.pem("certificate")
        authority = try fields.pem("authority")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("certificate", certificate)
        fields.put("authority", authority)
    }
}

/// The answer to `enrol`: the agent is a node now.
package struct Enrolled: WireMessage {
    package static let type = "enrolled"

    /// The node's id, also in the certificate's subject alternative name.
    package var node: String
    /// PEM.
    package var certificate: String
    /// PEM of the controller's own authority.
    package var authority: String
    /// The name that the controller's certificate carries, to be checked at every connection.
    package var controllerName: String

    package init(node: String, certificate: String, authority: String, controllerName: String) {
        self.node = node
        self.certificate = certificate
        self.authority = authority
        self.controllerName = controllerName
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        node = try fields.id("node")
        certificate = try fields.pem("certificate")
        authority = try fields.pem("authority")
        controllerName = try fields.name("controller_name", limit: 253)
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("node", node)
        fields.put("certificate", certificate)
        fields.put("authority", authority)
        fields.put("controller_name", controllerName)
    }
}
