package import ControllerCore

/// A shop in a namespace of a Kubernetes cluster of its own, installed from a chart: the product `store`.
package enum HelmStore {
    package static let product = Product(
        name: "store", summary: "A shop (WooCommerce or Medusa) in a namespace of its own of a Kubernetes cluster.",
        specification: specification, placement: placement, verbs: verbs, drift: drift, isGone: isGone,
        backups: backups, shown: shown)
}
