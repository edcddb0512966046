/// What both ends must agree on before the first message.
package enum ProtocolVersion {
    /// The version that this build prefers. Its history stands in `proto/SPEC.md`.
    package static let current: Int64 = 1
    /// All that it speaks.
    package static let supported: [Int64] = [1]
    /// Longest line in bytes, without its newline.
    package static let maximumLineBytes = 1 << 20
    /// Longest line of an enrolment: whoever sends it is not known yet.
    package static let maximumEnrolmentBytes = 1 << 16
    /// ALPN of the agent link, with a client certificate.
    package static let alpn = "innkeeper/1"
    /// ALPN of enrolment, without one.
    package static let enrolmentALPN = "innkeeper-enrol/1"

    /// The highest version that both sides speak; nil when there is none.
    package static func negotiate(_ offered: [Int64]) -> Int64? {
        offered.filter(supported.contains).max()
    }
}
