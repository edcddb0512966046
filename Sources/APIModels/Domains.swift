package import Model

/// A record that a customer puts into DNS.
package struct WantedRecord: Codable, Sendable, Hashable {
    /// `A`, `AAAA` or `TXT`.
    package var type: String
    package var name: String
    package var value: String

    package init(type: String, name: String, value: String) {
        (self.type, self.name, self.value) = (type, name, value)
    }
}

/// A domain of a customer's own: it and its `www`.
package struct DomainView: Codable, Sendable {
    /// In lower case, IDN as punycode, without `www`.
    package var domain: String
    /// As people read it, where that is something else.
    package var unicode: String?
    /// `awaiting_proof`, `proven`, `routed`, `certified` or `active`.
    package var state: String
    /// What is missing for the next state.
    package var reason: String?
    /// Of the state.
    package var since: Timestamp
    /// When it was last looked at.
    package var checkedAt: Timestamp?
    /// That proves whose it is; it must stay.
    package var proof: WantedRecord
    /// That lead visitors to the service.
    package var records: [WantedRecord]

    package init(
        domain: String, unicode: String?, state: String, reason: String?, since: Timestamp, checkedAt: Timestamp?,
        proof: WantedRecord, records: [WantedRecord]
    ) {
        (self.domain, self.unicode, self.state, self.reason) = (domain, unicode, state, reason)
        (self.since, self.checkedAt, self.proof, self.records) = (since, checkedAt, proof, records)
    }
}

/// `POST /api/v1/services/{service}/domains`. The same again is what there is.
package struct DomainRequest: Codable, Sendable {
    package var domain: String

    package init(domain: String) { self.domain = domain }
}
