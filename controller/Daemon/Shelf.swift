import ContainerProduct
import ControllerCore

extension Catalogue {
    /// What this controller sells, the standard product first, and what it does beside. A further product is a further name here.
    static let shipped = Catalogue(products: [Container.product], types: [.command, .transfer])
}
