package import WireProtocol

/// How a product's own fields of a plan are read. What comes out is the normal form that is stored with plan and service.
package struct Specification: Sendable {
    /// JSON Schema of the fields, from which a form can be made. What it allows may still be refused by `read`.
    package var schema: JSONObject
    /// Fields that a single service may have otherwise than its plan says, and what an upgrade may change.
    package var overridable: Set<String>
    /// Those of them that lead into the provider's own network or fleet: keys that are bound to a customer may not choose them.
    package var reserved: Set<String>
    package var upgradable: Set<String>
    /// Fields whose values are never shown: strings, or objects of strings.
    package var secrets: Set<String>
    /// Reads and checks; an error's field is a path below `path`.
    package var read: @Sendable (_ fields: JSONObject, _ path: String) throws(CoreError) -> JSONObject
    /// What a service of another plan becomes.
    package var grow: @Sendable (Growth) throws(CoreError) -> JSONObject

    /// - Parameter grow: nil puts the overrides over the new plan, or over what the service has.
    package init(
        schema: JSONObject, overridable: Set<String> = [], reserved: Set<String> = [],
        upgradable: Set<String> = [], secrets: Set<String> = [],
        read: @escaping @Sendable (JSONObject, String) throws(CoreError) -> JSONObject,
        grow: (@Sendable (Growth) throws(CoreError) -> JSONObject)? = nil
    ) {
        (self.schema, self.overridable, self.upgradable) = (schema, overridable, upgradable)
        self.reserved = reserved
        (self.secrets, self.read) = (secrets, read)
        if let grow { self.grow = grow } else { self.grow = Self.replacing(read) }
    }

    private static func replacing(
        _ read: @escaping @Sendable (JSONObject, String) throws(CoreError) -> JSONObject
    ) -> @Sendable (Growth) throws(CoreError) -> JSONObject {
        { (growth: Growth) throws(CoreError) -> JSONObject in
            try read((growth.plan ?? growth.spec).merged(with: growth.overrides), "overrides")
        }
    }
}

/// A change of what a service is promised.
package struct Growth: Sendable {
    /// What it has.
    package var spec: JSONObject
    /// The plan that it has; nil when nobody knows it any more.
    package var present: JSONObject?
    /// The plan that it is to have; nil for its own.
    package var plan: JSONObject?
    package var overrides: JSONObject

    package init(spec: JSONObject, present: JSONObject?, plan: JSONObject?, overrides: JSONObject) {
        (self.spec, self.present, self.plan, self.overrides) = (spec, present, plan, overrides)
    }
}

extension Specification {
    /// What a plan gets.
    func plan(_ fields: JSONObject, _ path: String) throws(CoreError) -> JSONObject {
        try SchemaCheck().check(fields, schema, path)
        return try read(fields, path)
    }

    /// What a new service gets: its plan with single values replaced; objects are merged key by key.
    /// - Parameter isCustomers: whether a customer's own key asks.
    func order(
        _ plan: JSONObject, overrides: JSONObject, labels: [String: String], isCustomers: Bool
    ) throws(CoreError) -> JSONObject {
        if isCustomers, let key = overrides.keys.first(where: reserved.contains) {
            throw .invalid(field: "overrides.\(key)", problem: "is the provider's to say")
        }
        for key in overrides.keys where !overridable.contains(key) {
            throw .invalid(field: "overrides.\(key)", problem: "cannot be overridden")
        }
        try SchemaCheck(isPartial: true).check(overrides, schema, "overrides")
        var spec = try read(plan.merged(with: overrides), "overrides")
        if !labels.isEmpty { spec = spec.merged(with: ["labels": .strings(labels)]) }
        return spec
    }

    func grown(_ growth: Growth) throws(CoreError) -> JSONObject {
        for key in growth.overrides.keys where !upgradable.contains(key) {
            throw .invalid(field: "overrides.\(key)", problem: "cannot be changed by an upgrade")
        }
        try SchemaCheck(isPartial: true).check(growth.overrides, schema, "overrides")
        return try grow(growth)
    }

    /// What differs between two of them, for the audit log. Of secrets the names alone.
    func changes(_ before: JSONObject, _ after: JSONObject) -> JSONValue {
        var changes = JSONValue.changes(before, after).asObject ?? [:]
        for field in secrets where changes[field] != nil {
            let (old, new) = (before[field]?.asObject ?? [:], after[field]?.asObject ?? [:])
            let names = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
            changes[field] = .array(names.map { .string($0) })
        }
        return .object(changes)
    }
}
