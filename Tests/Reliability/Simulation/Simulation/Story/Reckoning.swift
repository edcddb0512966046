import WireProtocol

/// Compares the books with the truth.
struct Reckoning {
    let trial: Trial
    let books: Books
    let customers: Customers
    let strays: Set<String>

    init(trial: Trial, books: Books, customers: Customers) {
        self.trial = trial
        self.books = books
        self.customers = customers
        // Said to need attention: for these nothing else is promised.
        strays = Set(
            books.operations.filter { ["needs_attention", "resolved"].contains($0.state) }.compactMap(\.service))
    }

    func run() {
        checkPromises()
        for operation in books.operations { check(operation) }
        for command in books.commands { check(command) }
        for service in books.services where !strays.contains(service.id) { check(service) }
        checkAllocations()
        checkEngines()
        for node in trial.nodes { Measurements(trial: trial, books: books, node: node).check() }
    }

    func violated(_ text: String) { trial.truth.violated(text) }

    private func checkPromises() {
        let services = Set(books.services.map(\.id)), operations = Set(books.operations.map(\.id))
        for id in customers.services.sorted() where !services.contains(id) { violated("service \(id) is lost") }
        for id in customers.operations.sorted() where !operations.contains(id) { violated("operation \(id) is lost") }
    }

    private func check(_ operation: Books.Operation) {
        switch operation.state {
        case "succeeded", "cancelled": break
        case "failed", "needs_attention", "resolved":
            if operation.error == nil { violated("\(operation.kind) \(operation.id) failed and does not say why") }
        default: violated("\(operation.kind) \(operation.id) is \(operation.state) for ever")
        }
    }

    /// What the agent said of a command against what it did.
    private func check(_ command: Books.Command) {
        guard let order = trial.truth.orders[command.id], let result = command.result else { return }
        let effects = trial.truth.effects[command.id] ?? 0
        let begun = trial.truth.beginnings[command.id] ?? 0
        let error = result["error"]?.asObject
        let code = error?["code"]?.asString ?? ""
        let observes = ["usage", "inspect", "status", "ready", "list", "look"]
        let word = order.command.operation.split(separator: ".").last.map(String.init) ?? ""
        switch command.state {
        case "succeeded" where effects == 0 && !observes.contains(word):
            violated("\(command.id) succeeded without an effect")
        case "refused" where begun > 0 && code != "journal_lost": violated("\(command.id) was refused and ran")
        case "interrupted" where code == "not_started" && begun > 0: violated("\(command.id) ran but says not_started")
        default: break
        }
        if effects > 0, error?["message"]?.asString?.contains("nothing was done") == true {
            violated("\(command.id) says that nothing was done, but it was")
        }
    }

    private func check(_ service: Books.Service) {
        if service.product == "store" { return checkShop(service) }
        if service.product == "wordpress" { return checkSite(service) }
        let engines = trial.nodes.map(\.engines.model)
        let containers = engines.flatMap { $0.containers.values }.filter { $0.service == service.id }
        let datasets = engines.flatMap { $0.datasets.values }.filter { $0.owner == service.id }
        switch service.state {
        case "running", "suspended":
            let runs = service.state == "running"
            if containers.count != 1 || containers.first?.isRunning != runs {
                violated("service \(service.id) is \(service.state), its containers are \(containers)")
            }
            if datasets.count != 1 { violated("service \(service.id) has \(datasets.count) data sets") }
            if let memory = service.spec["memory_bytes"]?.asInteger, containers.contains(where: { $0.memory != memory })
            {
                violated("service \(service.id) was promised \(memory) bytes, its containers are \(containers)")
            }
            if let disk = service.spec["disk_bytes"]?.asInteger, datasets.contains(where: { $0.quota != disk }) {
                violated("service \(service.id) was promised \(disk) bytes of disk, it has \(datasets)")
            }
        case "terminated", "failed", "pending":
            if !containers.isEmpty || !datasets.isEmpty {
                violated("service \(service.id) is \(service.state), left are \(containers) \(datasets)")
            }
        default: violated("service \(service.id) is \(service.state) for ever")
        }
    }

    private func checkAllocations() {
        let live = Dictionary(uniqueKeysWithValues: books.services.map { ($0.id, $0) })
        var holders: [String: String] = [:]
        for allocation in books.allocations {
            let thing = "\(allocation.kind) \(allocation.value) of \(allocation.node ?? "")"
            if let other = holders.updateValue(allocation.service, forKey: thing) {
                violated("\(thing) is held by \(other) and \(allocation.service)")
            }
            guard let service = live[allocation.service] else { return violated("\(thing) is held by nobody that is") }
            // What of a shop has failed is kept, to be looked at and tried again.
            let isKept = service.product == "store" || service.product == "wordpress" && hasBeen(service)
            if service.state == "failed", isKept { continue }
            if ["terminated", "failed", "pending"].contains(service.state), !strays.contains(service.id) {
                violated("\(thing) is held by \(service.id), which is \(service.state)")
            }
        }
        for (id, node) in books.reservations.sorted(by: { $0.key < $1.key }) where !strays.contains(id) {
            if live[id]?.node != node {
                violated("\(id) has its place on \(node), but is on \(live[id]?.node ?? "none")")
            }
        }
    }

    /// Nothing is on an engine that nobody holds.
    private func checkEngines() {
        checkClusters()
        checkSites()
        let held = Set(books.allocations.map { "\($0.node ?? "") \($0.kind) \($0.value)" })
        for node in trial.nodes {
            for (name, container) in node.engines.model.containers where !strays.contains(container.service) {
                if !held.contains("\(node.name) container \(name)") {
                    violated("\(name) on \(node.name) belongs to nobody")
                }
            }
            for (name, dataset) in node.engines.model.datasets where !strays.contains(dataset.owner) {
                if !held.contains("\(node.name) dataset \(name)") {
                    violated("\(name) on \(node.name) belongs to nobody")
                }
            }
        }
    }
}
