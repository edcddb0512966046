package import ControllerCore

/// A container of Docker with a data set of ZFS, its own limits and its own data: the product `container`.
package enum Container {
    package static let product = Product(
        name: "container",
        summary: "A container with memory, processor and disk of its own, on a node with Docker and ZFS.",
        specification: specification, placement: placement,
        verbs: [provision, suspend, resume, upgrade, repair, terminate], drift: drift, objects: [objects],
        things: things, figures: figures, isGone: isGone)
}
