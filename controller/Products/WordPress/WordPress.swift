package import ControllerCore

/// A WordPress site in a container of Proxmox of its own, with a name in DNS and a proxy before it: the product `wordpress`.
package enum WordPress {
    package static let product = Product(
        name: "wordpress",
        summary:
            "A WordPress site in a container of Proxmox, with a name of its own, reached over HTTPS through a proxy.",
        specification: specification, placement: placement, verbs: verbs, drift: drift, objects: [objects],
        things: [guest], figures: figures, isGone: isGone, domains: domains, backups: backups, shown: shown,
        examine: examine)
}
