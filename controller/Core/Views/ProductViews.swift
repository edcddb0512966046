import APIModels
import Model
import Store
import WireProtocol

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
