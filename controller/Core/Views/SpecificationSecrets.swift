package import APIModels
package import Store
package import WireProtocol

extension Catalogue {
    /// A specification as an answer shows it. Of a product that this version does not know nobody can say what is secret.
    func shown(_ spec: JSONObject, of product: String) -> JSONObject {
        guard let specification = self.product(product)?.specification else { return [:] }
        return specification.secrets.reduce(into: spec) { shown, field in
            shown[field] = spec[field]?.hidden
        }
    }

    /// With the values of `known` where a hidden one was sent back; fields that are null stand for none.
    package func revealed(
        _ fields: JSONObject, of product: String?, from known: JSONObject?, path: String
    ) throws(CoreError) -> JSONObject {
        var revealed = fields.withoutNulls
        for field in self.product(product ?? standard)?.specification.secrets ?? [] {
            let here = path.isEmpty ? field : "\(path).\(field)"
            revealed[field] = try revealed[field]?.revealed(from: known?[field], field: here)
        }
        return revealed
    }
}

extension Catalogue {
    /// The fields of a plan as somebody wants it, over the plan as it is.
    package func revealed(
        _ fields: JSONObject, of product: String?, over present: PlanRecord?, path: String
    ) throws(CoreError) -> JSONObject {
        try revealed(fields, of: product ?? present?.product, from: present?.spec, path: path)
    }

    /// A plan as it is shown.
    package func view(_ plan: PlanRecord) -> Plan { Plan(plan, self) }

    /// The bytes of that, by which a reader names the state that he has seen.
    package func representation(_ plan: PlanRecord) -> [UInt8]? { try? BodyEncoder.bytes(view(plan)) }
}

extension JSONObject {
    fileprivate var withoutNulls: JSONObject {
        JSONObject(
            members.filter { !$0.value.isNull }.map { member in
                (member.key, member.value.asObject.map { .object($0.withoutNulls) } ?? member.value)
            })
    }
}

extension JSONValue {
    /// Texts, however deep they lie.
    fileprivate func revealed(from known: JSONValue?, field: String) throws(CoreError) -> JSONValue {
        if case .object(var object) = self {
            for key in object.keys {
                object[key] = try object[key]?.revealed(from: known?[key], field: "\(field).\(key)")
            }
            return .object(object)
        }
        guard self == .string(HiddenValue.text) else { return self }
        guard let known, known.asString != nil else {
            throw .invalid(field: field, problem: "stands for a hidden value, and there is none")
        }
        return known
    }
}
