package import Model

/// When a certificate is due for its renewal: at two thirds of its life.
package enum RenewalTime {
    package static func due(notBefore: Timestamp, notAfter: Timestamp) -> Timestamp {
        let life = max(0, notAfter.milliseconds - notBefore.milliseconds)
        return Timestamp(milliseconds: notBefore.milliseconds + life / 3 * 2)
    }
}
