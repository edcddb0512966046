package import Store

/// What this controller can sell and do: the products, and the types of operations that no product brings. The daemon puts it
/// together; the core knows nothing but what stands here.
package struct Catalogue: Sendable {
    package let products: [Product]
    package let types: [OperationType]
    /// Of plans that name none.
    package let standard: String
    private let productByName: [String: Product]
    private let typeByKind: [String: OperationType]

    /// - Parameters:
    ///   - products: the first is the standard one.
    ///   - types: of operations on nodes.
    package init(products: [Product], types: [OperationType]) {
        self.products = products
        standard = products.first?.name ?? ""
        productByName = Dictionary(products.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var all = types
        for product in products {
            for verb in product.verbs where !all.contains(where: { $0.kind == verb.verb.name }) {
                all.append(.service(verb.verb.name))
            }
        }
        self.types = all
        typeByKind = Dictionary(all.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package func product(_ name: String) -> Product? { productByName[name] }

    package func product(of service: ServiceRecord) -> Product? { productByName[service.product] }

    package func type(_ kind: String) -> OperationType? { typeByKind[kind] }

    /// How the product of a service does what an operation on it is for.
    package func verb(_ kind: String, of service: ServiceRecord) -> ProductVerb? {
        product(of: service)?.verb(kind)
    }

    /// The product, or why there is none.
    func requireProduct(_ name: String, field: String = "product") throws(CoreError) -> Product {
        if let product = product(name) { return product }
        let known = products.map(\.name).joined(separator: ", ")
        throw .invalid(field: field, problem: "names no product: \(name.prefix(64)); there are \(known)")
    }

    func requireVerb(_ kind: String, of service: ServiceRecord) throws(CoreError) -> ProductVerb {
        let product = try requireProduct(service.product)
        if let verb = product.verb(kind) { return verb }
        throw .notAllowedInState(
            resource: "service \(service.id)", state: "a \(product.name)", reason: "it has no \(kind)")
    }
}
