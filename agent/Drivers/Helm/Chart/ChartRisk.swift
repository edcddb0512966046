import Model

/// What a chart may ask for that could make whoever gives its values the node's master. The words of `helm_allow`; those of
/// containers are those of `docker_allow` and `compose_allow`.
package enum ChartRisk: String, Sendable, Hashable, CaseIterable {
    case privileged
    /// The node's own network, and ports of it.
    case hostNetwork = "host_network"
    /// Other namespaces of the node.
    case namespaces
    case capabilities
    case devices
    /// Folders of the node.
    case binds
    /// Volumes that are not claimed from a class of the cluster.
    case volumes
    /// Rights in the cluster, and what is no namespace's own: who has them can make any pod.
    case cluster
    /// Templates in values, which can show one thing when they are looked at and another when they are used.
    case templates
    /// Kinds and keys that this driver does not know.
    case other
}

/// What a chart asks for.
struct ChartFinding: Sendable, Hashable {
    /// The word that allows it; nil where nothing does.
    let risk: ChartRisk?
    /// `Deployment shop-web: container web: privileged`.
    let place: String

    init(_ risk: ChartRisk?, _ place: String...) {
        self.risk = risk
        self.place = place.map(\.shown).joined(separator: ": ")
    }

    /// The same as a part of something larger.
    func within(_ whole: String) -> ChartFinding { ChartFinding(risk, whole, place) }

    var text: String { place + (risk.map { " (\($0.rawValue))" } ?? "") }
}

extension String {
    /// On one line, short, and with nothing in it that does not show.
    fileprivate var shown: String {
        let scalars = unicodeScalars.prefix(300).map { VisibleText.isVisible($0) ? $0 : "?" }
        return String(String.UnicodeScalarView(scalars))
    }
}
