package import ControllerCore

/// A site on a CloudPanel server, with an account, a certificate and databases of its own: the product `site`.
package enum CloudSite {
    package static let product = Product(
        name: "site", summary: "A site on a CloudPanel server: static, PHP, Node.js, Python or a reverse proxy.",
        specification: specification, placement: placement, verbs: verbs, drift: drift, objects: [objects],
        things: [site], isGone: isGone, domains: domains, backups: backups, wishes: wishes, shown: shown)
}
