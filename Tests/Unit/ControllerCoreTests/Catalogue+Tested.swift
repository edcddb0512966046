import ContainerProduct
import ControllerCore

extension Catalogue {
    /// As the daemon puts it together, and one line's worth of another product.
    static let tested = Catalogue(products: [Container.product, Folders.product], types: [.command, .transfer])
}
