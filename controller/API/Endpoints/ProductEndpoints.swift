import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Store
import WireProtocol

extension APIResources {
    var products: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/products", .read,
                .init(summary: "What can be sold", tag: "plans", answer: Listing<ProductView>.self)
            ) { _ in
                let all = operations.catalogue.products
                return try .model(Listing(items: all.map { ProductView($0, withSchema: false) }))
            },
            Endpoint(
                .get, "/api/v1/products/{product}", .read,
                .init(summary: "One product, with the schema of its plans", tag: "plans", answer: ProductView.self)
            ) { call in
                let name = try call.path("product")
                guard let product = operations.catalogue.product(name) else {
                    throw Problem(.notFound, "there is no product \(name)")
                }
                return try .model(ProductView(product, withSchema: true))
            },
        ]
    }
}

extension ProductView {
    init(_ product: Product, withSchema: Bool) {
        let specification = product.specification
        self.init(
            name: product.name, summary: product.summary, schema: withSchema ? .object(specification.schema) : nil,
            overridable: specification.overridable.sorted(), upgradable: specification.upgradable.sorted(),
            verbs: product.verbs.map { VerbView($0) })
    }
}

extension VerbView {
    init(_ verb: ProductVerb) {
        let hasParameters = verb.parameters.schema["properties"]?.asObject?.isEmpty == false
        self.init(
            name: verb.verb.name, summary: verb.summary, from: verb.verb.from.map(\.rawValue).sorted(),
            steps: verb.outline.map(\.name), parameters: hasParameters ? .object(verb.parameters.schema) : nil)
    }
}
