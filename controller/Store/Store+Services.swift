package import Model
import WireProtocol

/// Which services are wanted; nil means any.
package struct ServiceFilter: Sendable, Hashable {
    package var states: [ServiceRecord.State]?
    package var node: String?
    package var customer: String?
    package var plan: String?
    package var product: String?

    package init(
        states: [ServiceRecord.State]? = nil, node: String? = nil, customer: String? = nil, plan: String? = nil,
        product: String? = nil
    ) {
        self.product = product
        self.states = states
        self.node = node
        self.customer = customer
        self.plan = plan
    }
}

extension Store {
    /// Throws `conflict(field: "external_id")` when the billing system's id is known already.
    package func insertService(_ service: ServiceRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try insert(service.capped)
            note(.service, service.id, service: service.id, node: service.node)
        }
    }

    package func service(_ id: String) throws(StoreError) -> ServiceRecord? {
        try first(ServiceRecord.self, "WHERE id = ?", [id])
    }

    package func service(externalID: String) throws(StoreError) -> ServiceRecord? {
        try first(ServiceRecord.self, "WHERE external_id = ?", [externalID])
    }

    package func services(
        _ filter: ServiceFilter = ServiceFilter(), page request: PageRequest = PageRequest()
    ) throws(StoreError) -> Page<ServiceRecord> {
        var conditions = Conditions()
        conditions.among("state", filter.states?.map(\.rawValue))
        conditions.equal("node", filter.node)
        conditions.equal("customer", filter.customer)
        conditions.equal("plan", filter.plan)
        conditions.equal("product", filter.product)
        return try page(ServiceRecord.self, conditions, request, cursor: \.id)
    }

    /// Those that have all the labels, with the values where there are some. Specifications lie sealed, so that no query can look into them: a part may be smaller than was
    /// asked for, and others follow it all the same.
    package func services(
        _ filter: ServiceFilter, labelled labels: [String: String?], page request: PageRequest
    ) throws(StoreError) -> Page<ServiceRecord> {
        guard !labels.isEmpty else { return try services(filter, page: request) }
        var (found, part) = ([ServiceRecord](), request)
        part.limit = PageRequest.maximum
        for _ in 0..<Self.pagesAtOnce {
            let page = try services(filter, page: part)
            for record in page.items where record.has(labels) {
                found.append(record)
                guard found.count == request.limit else { continue }
                let isLast = page.next == nil && record.id == page.items.last?.id
                return Page(items: found, next: isLast ? nil : record.id)
            }
            guard let next = page.next else { return Page(items: found, next: nil) }
            part.after = next
        }
        return Page(items: found, next: part.after)
    }

    /// So that no question keeps all others waiting.
    private static var pagesAtOnce: Int { 4 }

    /// Every service that is on the node and not gone.
    package func services(onNode node: String) throws(StoreError) -> [ServiceRecord] {
        try select(ServiceRecord.self, "WHERE node = ? AND state <> 'terminated' ORDER BY id", [node])
    }

    /// Reads, changes and writes one service. Returns it as it is afterwards; throws `notFound`.
    @discardableResult
    package func updateService(
        _ id: String, at time: Timestamp, _ change: @Sendable (inout ServiceRecord) -> Void
    ) throws(StoreError) -> ServiceRecord {
        try transaction { () throws(StoreError) in
            guard var service = try service(id) else { throw .notFound(kind: "service", id: id) }
            let before = service
            change(&service)
            service.id = id
            service = service.capped
            guard service != before else { return service }
            service.updatedAt = time
            try overwrite(service)
            note(.service, id, service: id, node: service.node)
            return service
        }
    }
}

extension ServiceRecord {
    /// What agents observe is shown whole with the one service, and no agent needs so much for it.
    fileprivate var capped: ServiceRecord {
        var capped = self
        capped.observed = observed.capped(to: 32 << 10)
        return capped
    }
}

extension ServiceRecord {
    fileprivate func has(_ labels: [String: String?]) -> Bool {
        labels.allSatisfy { name, value in
            let found = spec["labels"]?[name]?.asString
            return value.map { $0 == found } ?? (found != nil)
        }
    }
}
