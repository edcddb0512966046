import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    var products: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/products", .read,
                .init(
                    summary: "What can be sold", tag: "plans", isForCustomers: true,
                    answer: Listing<ProductView>.self)
            ) { call in try .model(Listing(items: queries(call).products())) },
            Endpoint(
                .get, "/api/v1/products/{product}", .read,
                .init(
                    summary: "One product, with the schema of its plans", tag: "plans", isForCustomers: true,
                    answer: ProductView.self)
            ) { call in try .model(queries(call).product(call.path("product"))) },
        ]
    }
}
